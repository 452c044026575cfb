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
Rows = NDArray[np.uint32]  # shape (days, tickers with factors and one more for all others)


class FactorTable:
    """The factors of corporate actions, to be applied to any number of frames.

    Args:
        factors: ticker, effective_date, split_factor, dividend_factor, as `price_adjustment.find_factors` gives them:
            ordered by ticker and day, each the product with those of later days.
    """

    def __init__(self, factors: pl.DataFrame) -> None:
        runs = factors.get_column("ticker").rle().struct.unnest()
        lengths = runs.get_column("len").to_numpy().astype(np.int64)
        count, ends = factors.height, np.cumsum(lengths)
        self._tickers = TickerNumbers(runs.get_column("value"))
        one = pl.Series([1.0])  # the row behind all factors
        self._split, self._dividend = (
            pl.concat([factors.get_column(name), one], rechunk=True) for name in ("split_factor", "dividend_factor")
        )
        self._is_split, self._is_dividend = ((values != 1).to_numpy() for values in (self._split, self._dividend))
        self._first = np.append(ends - lengths, count).astype(np.uint32)  # of each ticker; of all others the last row
        following = np.arange(1, count + 1, dtype=np.uint32)
        following[ends - 1] = count  # after its last action a ticker's factor is 1
        days = factors.get_column("effective_date").to_physical().to_numpy()
        by_day = np.argsort(days, kind="stable")
        self._days, self._following = days[by_day], following[by_day]
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
        current, done = self._first.copy(), 0
        parts: list[pl.DataFrame] = []
        for days, some in _cut(bars):
            rows = np.empty((len(days), len(current)), dtype=np.uint32)
            for place, end in enumerate(np.searchsorted(self._days, days, side="right")):
                current[self._numbers[done:end]] = self._following[done:end]  # the last one of a ticker counts
                rows[place], done = current, end
            parts.append(self._multiply(some, rows))
        return pl.concat(parts)

    def _multiply(self, bars: pl.DataFrame, rows: Rows) -> pl.DataFrame:
        """Bars of some days times the factors of their rows."""
        columns = {name: pl.col(name) for name in PRICES if name in bars.columns}
        by_split, by_dividend = (bool(is_factor[rows].any()) for is_factor in (self._is_split, self._is_dividend))
        if not by_split and not by_dividend:
            return bars
        day = bars.get_column("date").rle_id()
        place = self._tickers.find(bars.get_column("ticker")) + day * rows.shape[1]
        row = pl.Series(rows.ravel()).gather(place)
        volume: list[pl.Expr] = []
        if by_split:
            factor = self._split.gather(row)
            columns = {name: price * factor for name, price in columns.items()}
            volume = [pl.col("volume") / factor] if "volume" in bars.columns else []
        if by_dividend:
            factor = self._dividend.gather(row)
            columns = {name: price * factor for name, price in columns.items()}
        return bars.with_columns(*columns.values(), *volume)


def _cut(bars: pl.DataFrame) -> Iterator[tuple[NDArray[np.int32], pl.DataFrame]]:
    """The bars in pieces of some days, with these days; each is in one piece in memory, so that none is copied."""
    start = 0
    for length in bars.get_column("date").chunk_lengths():
        runs = bars.get_column("date").slice(start, length).rle().struct.unnest()
        days, lengths = runs.get_column("value").to_physical().to_numpy(), runs.get_column("len").to_numpy()
        for first in range(0, len(days), DAYS_AT_ONCE):
            some = slice(first, first + DAYS_AT_ONCE)
            count = int(lengths[some].sum())
            yield days[some], bars.slice(start, count)
            start += count
