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
DAYS_AT_ONCE = 32  # so that what is worked on stays in the processor's cache
Floats = NDArray[np.float64]
Rows = NDArray[np.int64]  # shape (days, tickers with factors and one more for all others)


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
        self._split, self._dividend = (
            np.append(factors.get_column(name).to_numpy(), 1.0) for name in ("split_factor", "dividend_factor")
        )
        self._first = np.append(ends - lengths, count)  # row of each ticker's first factor, and of 1 for all others
        following = np.arange(1, count + 1)
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
        runs = bars.get_column("date").rle().struct.unnest()
        days, ends = runs.get_column("value").to_physical().to_numpy(), np.cumsum(runs.get_column("len").to_numpy())
        if (np.diff(days) < 0).any():
            raise ValueError("bars are adjusted in the order of their dates")
        parts: list[pl.DataFrame] = []
        start = 0
        for last, rows in self._follow(days):
            end = int(ends[last])
            parts.append(self._multiply(bars.slice(start, end - start), rows))
            start = end
        return pl.concat(parts)

    def _follow(self, days: NDArray[np.int32]) -> Iterator[tuple[int, Rows]]:
        """The factors' rows in force after each day, some days at once, with the place of the last of these days."""
        current, done = self._first.copy(), 0
        ends = np.searchsorted(self._days, days, side="right")
        for first in range(0, len(days), DAYS_AT_ONCE):
            some = ends[first : first + DAYS_AT_ONCE]
            rows = np.empty((len(some), len(current)), dtype=np.int64)
            for place, end in enumerate(some):
                current[self._numbers[done:end]] = self._following[done:end]  # the last one of a ticker counts
                rows[place], done = current, end
            yield first + len(some) - 1, rows

    def _multiply(self, bars: pl.DataFrame, rows: Rows) -> pl.DataFrame:
        """Bars of some days times the factors of their rows."""
        tables = [self._split[rows], self._dividend[rows]]
        if all((table == 1).all() for table in tables):
            return bars
        day = bars.get_column("date").rle_id()
        place = self._tickers.find(bars.get_column("ticker")) + day * rows.shape[1]
        split, dividend = (_gather(table, place) for table in tables)
        changed = [pl.col(name) for name in PRICES if name in bars.columns]
        for factor in (split, dividend):
            changed = changed if factor is None else [column * factor for column in changed]
        if split is not None and "volume" in bars.columns:
            changed.append(pl.col("volume") / split)
        return bars.with_columns(changed)


def _gather(table: Floats, place: pl.Series) -> pl.Series | None:
    """The factor at each place; None where the table holds nothing but 1."""
    return None if (table == 1).all() else pl.Series(table.ravel()).gather(place)
