"""Puts rows whose ticker changed back into the order of dates and tickers, in C. Pure."""

import ctypes

import numpy as np
import polars as pl

from internal.bar_kernels.library import load
from internal.bar_kernels.memory import Order, find_views


def merge_rows(bars: pl.DataFrame, rest: Order, moved: pl.DataFrame) -> Order:
    """The numbers of all rows in the order of date and ticker.

    Args:
        bars: Ordered by date and ticker, in one chunk.
        rest: The numbers of the rows that keep their ticker, ascending.
        moved: The others: `row`, `date` and the new `ticker`, ordered by date and ticker.
    """
    tickers, names = find_views(bars.get_column("ticker")), find_views(moved.get_column("ticker").rechunk())
    days, moved_days = (
        one.get_column("date").cast(pl.Date).rechunk().to_physical().to_numpy() for one in (bars, moved)
    )
    numbers = moved.get_column("row").rechunk().to_numpy()
    order = np.empty(bars.height, np.uint32)
    load().merge_rows(
        ctypes.byref(tickers.strings),
        days.ctypes.data,
        rest.ctypes.data,
        len(rest),
        ctypes.byref(names.strings),
        moved_days.ctypes.data,
        numbers.ctypes.data,
        len(numbers),
        order.ctypes.data,
    )
    return order
