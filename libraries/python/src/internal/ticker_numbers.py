# pyarrow ships no types
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""Finds the places of millions of tickers in a list of a few thousand. Pure.

A table of hashes gives the place, and the ticker is then compared with the one there. Arrow keeps a string of at most
12 bytes in 16 bytes, its view, so that two numbers are compared and no text; what differs is looked up by a join.
https://arrow.apache.org/docs/format/Columnar.html#variable-size-binary-view-layout
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

SLOTS = 1 << 18  # of the table; of 3,400 listed and 5,000 other tickers 65 share a slot
LONGEST_INLINE = 12  # bytes; the view of a longer string does not hold all of it
ROWS_AT_ONCE = 16_384  # so that what is compared stays in the processor's cache
SIXTEEN_BYTES = np.complex128  # the type of a number of a view's size, which NumPy copies as one; nothing is computed
NO_VIEW = np.iinfo(np.uint64).max
Halves = NDArray[np.uint64]  # of views, shape (rows, 2)


class TickerNumbers:
    """The places of tickers in a list.

    Args:
        tickers: The list; each once.
    """

    def __init__(self, tickers: pl.Series) -> None:
        self.count = tickers.len()
        self._listed = tickers.rechunk().to_frame("ticker").with_row_index("number")
        table = np.full(SLOTS, self.count, dtype=np.uint32)
        table[_find_slots(tickers).to_numpy()] = np.arange(self.count)
        self._table = pl.Series(table)
        views = _read_views(self._listed.get_column("ticker")).copy()
        views[(tickers.str.len_bytes() > LONGEST_INLINE).to_numpy()] = NO_VIEW
        self._views = np.append(views, [[NO_VIEW, NO_VIEW]], axis=0).view(SIXTEEN_BYTES).ravel()

    def find(self, tickers: pl.Series) -> pl.Series:
        """The place of each ticker in the list, UInt32; the list's length for one that is not in it."""
        chunks = tickers.get_chunks()
        found = [self._table.gather(_find_slots(chunk)) for chunk in chunks]
        differs = [self._compare(*pair) for pair in zip(chunks, found, strict=True)]
        numbers, doubtful = pl.concat(found), pl.Series(np.flatnonzero(np.concatenate(differs)), dtype=pl.UInt32)
        if doubtful.is_empty():
            return numbers
        joined = tickers.gather(doubtful).to_frame("ticker").join(self._listed, "ticker", "left", maintain_order="left")
        return numbers.scatter(doubtful, joined.get_column("number").fill_null(self.count))

    def _compare(self, tickers: pl.Series, found: pl.Series) -> NDArray[np.bool_]:
        """Which tickers, in one chunk, differ from the one of their number."""
        views, numbers = _read_views(tickers), found.to_numpy()
        differs = np.empty(len(numbers), dtype=np.bool_)
        for start in range(0, len(numbers), ROWS_AT_ONCE):
            some = slice(start, start + ROWS_AT_ONCE)
            listed = self._views.take(numbers[some], mode="clip").view(np.uint64).reshape(-1, 2)
            either = (listed != views[some]).view(np.uint16).ravel() != 0  # two truth values as one number
            np.logical_and(either, numbers[some] != self.count, out=differs[some])
        return differs


def _find_slots(tickers: pl.Series) -> pl.Series:
    return tickers.hash() & (SLOTS - 1)


def _read_views(tickers: pl.Series) -> Halves:
    """The views of tickers in one chunk, as they are in memory."""
    array = tickers.to_arrow(compat_level=pl.CompatLevel.newest())
    every = np.frombuffer(array.buffers()[1], dtype=np.uint64).reshape(-1, 2)
    return every[array.offset : array.offset + len(array)]
