"""A stored frame is read as it was to the bit, from files or from memory."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from internal.scratch_arrays import scratch_folder
from models import stored_frame
from models.stored_frame import StoredFrame

FRAME = pl.DataFrame(
    {
        "ticker": ["A", "A", "B", None],
        "segment": pl.Series([1, 1, 2, 3], dtype=pl.UInt32).set_sorted(),
        "traded": [True, None, False, True],
        "close": [1.5, None, float("nan"), -0.0],
    }
)


@pytest.mark.parametrize("smallest", [0, 2**26])
def test_frame_of_files(smallest: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nulls, NaN, the sign of zero, the types and the order stay; each column is one piece, and no file has a name."""
    monkeypatch.setattr(stored_frame, "SMALLEST_COLUMN", smallest)
    with scratch_folder(tmp_path / "scratch"):
        stored = StoredFrame.of(FRAME)
        assert not list(tmp_path.rglob("scratch/*"))
        _assert_same(stored.read())


def test_columns_of_a_megabyte_are_in_files(tmp_path: Path) -> None:
    """A column of the leak gate's bars of a full market is smaller than other arrays in files; ten wait at a time."""
    with scratch_folder(tmp_path / "scratch"):
        StoredFrame.of(FRAME)
        assert not (tmp_path / "scratch").exists()  # it appears with the first file
        StoredFrame.of(pl.DataFrame({"close": np.zeros(2**17)}))
        assert (tmp_path / "scratch").exists()


def test_frame_in_memory() -> None:
    """Outside of a scratch folder the frame itself is kept."""
    _assert_same(StoredFrame.of(FRAME).read())


def test_frame_without_rows(tmp_path: Path) -> None:
    """An empty frame keeps its types."""
    with scratch_folder(tmp_path):
        assert StoredFrame.of(FRAME.clear()).read().schema == FRAME.schema


def _assert_same(read: pl.DataFrame) -> None:
    assert read.equals(FRAME)
    assert read.schema == FRAME.schema
    assert str(read["close"].to_list()) == "[1.5, None, nan, -0.0]"
    assert [column.flags for column in read] == [column.flags for column in FRAME]
    assert read.n_chunks("all") == [1] * read.width
