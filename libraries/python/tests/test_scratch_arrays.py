"""Scratch arrays: released values stay, the folder stays empty, and a full disk is an error with a sentence."""

from pathlib import Path

import numpy as np
import pytest

from internal import scratch_arrays
from internal.errors import UnavailableError
from internal.scratch_arrays import ScratchArray, scratch_folder


@pytest.mark.parametrize("smallest", [0, 2**26])
def test_released_values_stay(smallest: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In memory or in a file, what was written is read again after every release, and the file has no name."""
    monkeypatch.setattr(scratch_arrays, "SMALLEST_FILE", smallest)
    monkeypatch.setattr(scratch_arrays, "PART_ROWS", 300)
    written = np.random.default_rng(7).random((1000, 3))
    with scratch_folder(tmp_path / "scratch"):
        array = ScratchArray(written.shape)
        assert list(tmp_path.rglob("scratch/*")) == []
    for part in array.parts():
        array.values[part] = written[part]
    array.release()
    assert np.array_equal(array.values, written)
    assert list(tmp_path.iterdir()) == []


def test_full_disk(tmp_path: Path) -> None:
    """More than the disk has is refused before anything is written, in a sentence."""
    with scratch_folder(tmp_path), pytest.raises(UnavailableError, match=r"9007199\.3 GB .* free some disk space"):
        ScratchArray((2**50,))


def test_impossible_folder(tmp_path: Path) -> None:
    """A folder that cannot be made is named."""
    (tmp_path / "file").touch()
    with scratch_folder(tmp_path / "file" / "scratch"), pytest.raises(UnavailableError, match=r"file/scratch \(Not a"):
        ScratchArray((2**23,))


def test_memory_outside_of_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """A forecast writes no file, however large its arrays are."""
    monkeypatch.setattr(scratch_arrays, "SMALLEST_FILE", 0)
    assert ScratchArray((10, 3)).values.base is not None
    assert isinstance(ScratchArray((10, 3)).values.base, np.ndarray)
