"""Brings bars to the shares and dollars of a later day: each times the factors of what takes effect after it. Pure.

The ticker of each bar is looked up once, whatever the number of actions, and the factors in force are followed from day
to day: of 24,000 actions a few take effect on one day.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from internal.ticker_numbers import TickerNumbers

PRICES = ("open", "high", "low", "close", "volume_weighted_average_price")
DAYS_AT_ONCE = 32
Factors = NDArray[np.float64]  # shape (split and dividend, days, tickers with factors and one more for all others)


class FactorTable:
    """The factors of corporate actions, to be applied to any number of frames.

    Args:
        factors: ticker, effective_date, split_factor, dividend_factor, as `price_adjustment.find_factors` gives them:
            ordered by ticker and day, each the product with those of later days.
    """

    def __init__(self, factors: pl.DataFrame) -> None:
        runs = factors.get_column("ticker").rle().struct.unnest()
        lengths = runs.get_column("len").to_numpy().astype(np.int64)
        ends = np.cumsum(lengths)
        self._tickers = TickerNumbers(runs.get_column("value"))
        values = factors.select("split_factor", "dividend_factor").to_numpy().T
        none = np.ones((2, 1))  # for all other tickers
        self._first = np.append(values[:, ends - lengths], none, axis=1)
        following = np.append(values[:, 1:], none, axis=1) if factors.height else values
        following[:, ends - 1] = 1.0  # after its last action a ticker's factor is 1
        days = factors.get_column("effective_date").to_physical().to_numpy()
        by_day = np.argsort(days, kind="stable")
        self._days, self._following = days[by_day], following[:, by_day]
        self._numbers = np.repeat(np.arange(runs.height), lengths)[by_day]

    def apply(self, bars: pl.DataFrame) -> pl.DataFrame:
        """The bars times what takes effect after their day, in their order.

        Columns that the bars lack are left alone, so that a reader of a few columns pays for no other.

        Args:
            bars: With ticker and date, ordered by date; ValueError where they are not.
        """
        if bars.is_empty() or self._tickers.count == 0:
            return bars
        if not bars.get_column("date").is_sorted():
            raise ValueError("bars are adjusted in the order of their dates")
        if self._days[-1] <= bars.get_column("date").to_physical()[0]:
            return bars
        numbers = self._tickers.find(bars.get_column("ticker"))
        current, done, start = self._first.copy(), 0, 0
        factors = np.empty((2, DAYS_AT_ONCE, current.shape[1]))
        parts: list[pl.DataFrame] = []
        for days, lengths, some in _cut(bars):
            for place, end in enumerate(np.searchsorted(self._days, days, side="right")):
                current[:, self._numbers[done:end]] = self._following[:, done:end]  # the last one of a ticker counts
                factors[:, place], done = current, end
            day = np.repeat(np.arange(len(days), dtype=np.uint32) * np.uint32(current.shape[1]), lengths)
            parts.append(_multiply(some, numbers.slice(start, some.height) + pl.Series(day), factors[:, : len(days)]))
            start += some.height
        return pl.concat(parts)


def _multiply(bars: pl.DataFrame, place: pl.Series, factors: Factors) -> pl.DataFrame:
    """Bars of some days times the factors at their places among those of these days."""
    by_split, by_dividend = (bool((kind != 1).any()) for kind in factors)
    if not by_split and not by_dividend:
        return bars
    prices = [bars.get_column(name) for name in PRICES if name in bars.columns]
    volume = [bars.get_column(name) for name in ("volume",) if name in bars.columns]
    if by_split:
        factor = pl.Series(factors[0].ravel()).gather(place)
        prices, volume = [price * factor for price in prices], [shares / factor for shares in volume]
    if by_dividend:
        factor = pl.Series(factors[1].ravel()).gather(place)
        prices = [price * factor for price in prices]
    return bars.with_columns(*prices, *volume)


def _cut(bars: pl.DataFrame) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int64], pl.DataFrame]]:
    """The bars in pieces of some days, with these days and their numbers of bars.

    Each piece is in one chunk of memory, so that none is copied.
    """
    start = 0
    for chunk in bars.get_column("date").get_chunks():
        dates = chunk.to_physical().to_numpy()
        firsts = np.flatnonzero(np.append([True], dates[1:] != dates[:-1])[: len(dates)])
        lengths = np.diff(firsts, append=len(dates))
        for first in range(0, len(firsts), DAYS_AT_ONCE):
            some = slice(first, first + DAYS_AT_ONCE)
            count = int(lengths[some].sum())
            yield dates[firsts[some]], lengths[some], bars.slice(start, count)
            start += count
