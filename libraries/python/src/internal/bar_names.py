"""Brings bars under the names of their securities, in order: only the rows of other names are moved. Pure."""

from collections.abc import Collection

import numpy as np
import polars as pl

from internal.bar_kernels.memory import Order
from internal.bar_kernels.row_order import merge_rows
from internal.bar_kernels.ticker_numbers import TickerNumbers
from internal.bar_order import KEY
from internal.security_names import SecurityNames


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
        named, _ = self.arrange(bars)
        return named

    def arrange(self, bars: pl.DataFrame, left: Collection[str] = ()) -> tuple[pl.DataFrame, Order | None]:
        """The bars under their names, and the order of their rows; None where rows stay where they are.

        Args:
            bars: Ordered by date and ticker.
            left: Columns that are left in their order, because whoever reads them next can follow the new one.
        """
        if self._tickers.count == 0:
            return bars, None
        whole = bars.rechunk()  # a row is found in one chunk, and not by a search among several
        tickers = whole.get_column("ticker")
        may_differ = self._tickers.find(tickers, whole.get_column("date")) != self._tickers.count
        rows = pl.Series("row", np.flatnonzero(may_differ), dtype=pl.UInt32)
        if rows.is_empty():
            return bars, None
        few = pl.DataFrame([rows, *(whole.get_column(name).gather(rows) for name in KEY)])
        renamed = self._names.rename(few.lazy(), pl.col("date")).sort(KEY).collect()
        order = merge_rows(whole, np.flatnonzero(~may_differ).astype(np.uint32), renamed)
        moved = renamed.get_column("row")
        named = whole.with_columns(tickers.scatter(moved, renamed.get_column("ticker")))
        changed = [name for name in named.columns if name not in {"date", *left}]  # no row leaves its day
        return named.with_columns(pl.col(changed).gather(pl.Series(order))), order
