"""Finds the places of millions of tickers in a list of a few thousand: a table of hashes in C. Pure."""

import ctypes

import numpy as np
import polars as pl
from numpy.typing import NDArray

from internal.bar_kernels.library import Table, load
from internal.bar_kernels.memory import find_views

SLOTS_PER_TICKER = 4


class TickerNumbers:
    """The places of tickers in a list.

    Args:
        tickers: The list; each once.
        slots: Of the table at least: a power of two, more than the tickers.
    """

    def __init__(self, tickers: pl.Series, slots: int = 1) -> None:
        self.count = tickers.len()
        self._views = find_views(tickers.rechunk())
        size = max(slots, 1 << (SLOTS_PER_TICKER * self.count).bit_length())
        self._slots = np.full(size, self.count, dtype=np.uint32)
        self.table = Table(self._views.strings, self.count, self._slots.ctypes.data, size - 1)
        load().fill_table(ctypes.byref(self.table))

    def find(self, tickers: pl.Series, days: pl.Series) -> NDArray[np.uint32]:
        """The place of each ticker in the list; the list's length for one that is not in it, and for null.

        Args:
            tickers: In one chunk; found fastest where the tickers of each day are in the order of the day before.
            days: Theirs, in one chunk.
        """
        numbers = np.empty(tickers.len(), dtype=np.uint32)
        views, dates = find_views(tickers), days.cast(pl.Date).to_physical().to_numpy()
        load().find_numbers(
            ctypes.byref(self.table), ctypes.byref(views.strings), dates.ctypes.data, views.count, numbers.ctypes.data
        )
        if tickers.has_nulls():
            numbers[tickers.is_null().to_numpy()] = self.count  # what Polars stores at a null may be any ticker
        return numbers
