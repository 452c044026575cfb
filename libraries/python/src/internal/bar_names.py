"""Brings bars under the names of their securities, in order: only the rows of other names are moved. Pure."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from internal.bar_kernels.ticker_numbers import TickerNumbers
from internal.bar_order import KEY
from internal.security_names import SecurityNames

Places = NDArray[np.intp]  # of rows


class BarNames:
    """The names of bars, to be given to any number of frames.

    Args:
        names: Those that differ from the ticker, as `SecurityNames.changed` gives them, or all.
    """

    def __init__(self, names: SecurityNames) -> None:
        self._names = SecurityNames(names.changed)
        self._tickers = TickerNumbers(self._names.aliases.get_column("ticker").unique())

    def apply(self, bars: pl.DataFrame) -> pl.DataFrame:
        """The bars under their names, ordered by date and ticker; `bars` are ordered by date and ticker too."""
        if self._tickers.count == 0:
            return bars
        whole = bars.rechunk()  # a row is found in one chunk, and not by a search among several
        tickers = whole.get_column("ticker")
        may_differ = self._tickers.find(tickers, whole.get_column("date")) != self._tickers.count
        rows = pl.Series("row", np.flatnonzero(may_differ), dtype=pl.UInt32)
        if rows.is_empty():
            return bars
        few = pl.DataFrame([rows, *(whole.get_column(name).gather(rows) for name in KEY)])
        renamed = self._names.rename(few.lazy(), pl.col("date")).sort(KEY).collect()
        rest, moved = np.flatnonzero(~may_differ), renamed.get_column("row")
        order = np.insert(rest, _find_places(whole, rest, renamed), moved.to_numpy())
        named = whole.with_columns(tickers.scatter(moved, renamed.get_column("ticker")))
        return named.select(pl.all().gather(pl.Series(order, dtype=pl.UInt32)))


def _find_places(bars: pl.DataFrame, rest: Places, renamed: pl.DataFrame) -> Places:
    """Before which of the rest each renamed row belongs, by a binary search of its day for all of them at once."""
    days, tickers = bars.get_column("date").to_physical().to_numpy()[rest], bars.get_column("ticker")
    wanted, names = renamed.get_column("date").to_physical().to_numpy(), renamed.get_column("ticker")
    lower, upper = (np.searchsorted(days, wanted, side=side) for side in ("left", "right"))
    while (is_open := lower < upper).any():
        middle = (lower + upper) // 2
        found = tickers.gather(rest.take(middle, mode="clip"))
        is_before = (found < names).to_numpy()
        lower = np.where(is_open & is_before, middle + 1, lower)
        upper = np.where(is_open & ~is_before, middle, upper)
    return lower
