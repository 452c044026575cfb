"""Scratch arrays: released values stay, the folder stays empty, and a full disk is an error with a sentence."""

import platform
import resource
from pathlib import Path

import numpy as np
import pytest

from internal import scratch_arrays
from internal.errors import UnavailableError
from internal.scratch_arrays import ScratchArray, return_freed_memory, scratch_folder


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


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no `malloc_trim`")
def test_freed_memory_is_returned(tmp_path: Path) -> None:
    """Of 60 MB freed between arrays that stay, a training returns most, and a forecast does not."""
    arrays = [np.ones(60_000, np.uint8) for _ in range(2000)]  # each too small to be mapped
    full = _resident_bytes()
    arrays = arrays[::2]
    return_freed_memory()
    assert full - _resident_bytes() < 15e6
    with scratch_folder(tmp_path / "scratch"):
        return_freed_memory()
    assert full - _resident_bytes() > 45e6
    assert all(one.all() for one in arrays)


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()
