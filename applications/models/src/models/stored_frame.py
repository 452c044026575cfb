"""A panel that waits in files while it is not read: that of 8,000 tickers and five years takes a gigabyte."""

from dataclasses import dataclass
from io import BytesIO
from typing import Final, Self

import numpy as np
import polars as pl

from internal.freed_memory import return_freed_memory
from internal.scratch_arrays import ScratchArray, find_scratch_folder

SMALLEST_COLUMN: Final = 2**20  # bytes: the leak gate's bars are ten columns of 31 MB, which a fit waits beside


@dataclass(frozen=True)
class StoredFrame:
    """The columns of a frame, in files where `scratch_folder` says so.

    Attributes:
        columns: Each column, or the bytes of its Arrow file.
        ascending: The names of those that are known to be sorted, which their files do not say.
    """

    columns: list[pl.DataFrame | ScratchArray]
    ascending: list[str]

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Self:
        """Store a frame, a column at a time; whoever holds it must let it go."""
        ascending = [column.name for column in frame if column.flags["SORTED_ASC"]]
        if find_scratch_folder() is None:
            return cls([frame], ascending)
        return cls([_store(frame.select(name)) for name in frame.columns], ascending)

    def read(self) -> pl.DataFrame:
        """The frame, as it was to the bit."""
        frames = [_read(one) for one in self.columns]
        whole = pl.concat(frames, how="horizontal")
        return whole.with_columns(pl.col(self.ascending).set_sorted()) if self.ascending else whole


def _store(column: pl.DataFrame) -> ScratchArray:
    content = BytesIO()
    column.write_ipc(content, record_batch_size=max(column.height, 1))  # one piece, as it is read again
    stored = ScratchArray((content.tell(),), np.uint8, smallest=SMALLEST_COLUMN)
    stored.values[:] = np.frombuffer(content.getbuffer(), np.uint8)
    stored.release()
    return stored


def _read(stored: pl.DataFrame | ScratchArray) -> pl.DataFrame:
    if isinstance(stored, pl.DataFrame):
        return stored
    column = pl.read_ipc(stored.values.tobytes())
    stored.release()
    return_freed_memory()
    return column
