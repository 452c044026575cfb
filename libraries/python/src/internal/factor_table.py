"""Brings bars to the shares and dollars of a later day: each times the factors of what takes effect after it. Pure.

The ticker of each bar is looked up once, whatever the number of actions, and the factors in force are followed from day
to day: of 24,000 actions a few take effect on one day.
"""

import ctypes
from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from internal.bar_kernels.library import Actions, load
from internal.bar_kernels.memory import Columns, Order
from internal.bar_kernels.ticker_numbers import TickerNumbers

PRICES = ("open", "high", "low", "close", "volume_weighted_average_price")
VOLUMES = ("volume",)
ADJUSTED = pl.selectors.by_name(*PRICES, *VOLUMES, require_all=False)
STATE = np.dtype(
    [
        ("next", np.int32),
        ("end", np.int32),
        ("until", np.int32),
        ("unused", np.int32),
        ("split", np.float64),
        ("dividend", np.float64),
    ]
)  # `state` of bars.c


class FactorTable:
    """The factors of corporate actions, to be applied to any number of frames.

    Args:
        factors: ticker, effective_date, split_factor, dividend_factor, as `price_adjustment.find_factors` gives them:
            ordered by ticker and day, each the product with those of later days.
    """

    def __init__(self, factors: pl.DataFrame) -> None:
        runs = factors.get_column("ticker").rle().struct.unnest()
        self._tickers = TickerNumbers(runs.get_column("value"))
        ends = np.cumsum(runs.get_column("len").to_numpy().astype(np.int32), dtype=np.int32)
        self._states = np.zeros(runs.height, STATE)
        self._states["end"], self._states["next"][1:] = ends, ends[:-1]
        self._states["until"] = np.iinfo(np.int32).min  # a ticker's first bar finds what is in force
        values = factors.select(
            pl.col("effective_date").cast(pl.Date).to_physical(),
            pl.col("split_factor", "dividend_factor").cast(pl.Float64),
        )
        self._kept = [column.rechunk().to_numpy() for column in values]
        self._actions = Actions(*(column.ctypes.data for column in self._kept))
        self._last_day: int = int(self._kept[0].max(initial=np.iinfo(np.int32).min))

    def apply(self, bars: pl.DataFrame, order: Order | None = None) -> pl.DataFrame:
        """The bars times what takes effect after their day, in their order.

        Columns that the bars lack are left alone, so that a reader of a few columns pays for no other.

        Args:
            bars: With ticker and date, ordered by date; those without a ticker have no factor.
            order: Where the prices and the volume of each row are, if they are not in the order of the other columns;
                the bars are in one chunk then.

        Raises:
            ValueError: The bars are not in the order of their dates, or one has no date.
        """
        if bars.is_empty():
            return bars
        if bars.get_column("date").has_nulls():
            raise ValueError("a bar without a date cannot be adjusted")
        if not bars.get_column("date").is_sorted():
            raise ValueError("bars are adjusted in the order of their dates")
        if self._last_day <= bars.get_column("date").to_physical()[0]:
            return bars if order is None else bars.with_columns(ADJUSTED.gather(pl.Series(order)))
        states = self._states.copy()
        if order is not None:
            return self._multiply(bars, states, order)
        return pl.concat(self._multiply(some, states) for some in _cut(bars))

    def _multiply(self, bars: pl.DataFrame, states: NDArray[np.void], order: Order | None = None) -> pl.DataFrame:
        """Bars in one chunk times their factors; `states` are those after the bars before, and then after these."""
        days = bars.get_column("date").cast(pl.Date).to_physical().to_numpy()
        numbers = self._tickers.find(bars.get_column("ticker"), bars.get_column("date"))
        prices, volumes = (Columns(bars, names, order) for names in (PRICES, VOLUMES))
        load().adjust(
            ctypes.byref(self._tickers.table),
            ctypes.byref(self._actions),
            states.ctypes.data,
            numbers.ctypes.data,
            days.ctypes.data,
            None if order is None else order.ctypes.data,
            bars.height,
            *prices.addresses(),
            *volumes.addresses(),
        )
        return bars.with_columns(*prices.results(), *volumes.results())


def _cut(bars: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The bars in pieces that are each in one chunk of memory, so that none is copied."""
    start = 0
    for chunk in bars.get_column("date").get_chunks():
        if chunk.len():
            yield bars.slice(start, chunk.len())
        start += chunk.len()
