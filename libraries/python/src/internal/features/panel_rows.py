"""The rows of a panel, in C: bars are ordered by ticker and day, judged, and put on the sessions of a calendar."""

import ctypes
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Self

import numpy as np
import polars as pl

from internal.bar_kernels.library import Bars, Grid, PanelColumns, load_panel

VALUES: Final = ("open", "high", "low", "close", "volume", "volume_weighted_average_price")
TYPES: Final = {  # in the order of `panel` of panel.c
    "date": np.int32,
    "session": np.int64,
    "segment": np.uint32,
    "age": np.int64,
    "traded": np.bool_,
    **dict.fromkeys(VALUES, np.float64),
}
NO_DAY: Final = -(2**31)  # of a bar without a date
VERDICTS: Final = ("good", "malformed", "not_a_session", "not_traded", "absurd_price")
COUNTS: Final = np.dtype(  # `counts` of panel.c
    [*((name, np.int64) for name in ("rows", "segments", "repaired")), ("verdicts", np.int64, len(VERDICTS))]
)


@dataclass(frozen=True)
class RowOrder:
    """Bars by ticker and day.

    Attributes:
        days: Of each bar, from 1970, i32 [bar]; NO_DAY where it has no date.
        rows: The numbers of the bars in that order, u32 [bar].
        ends: Where each ticker ends among them, i64 [ticker].
        twice: How many bars have the ticker and the day of the one before.
    """

    days: np.ndarray
    rows: np.ndarray
    ends: np.ndarray
    twice: int

    @classmethod
    def of(cls, tickers: np.ndarray, days: np.ndarray, count: int) -> Self:
        """Of bars.

        Args:
            tickers: The number of each bar's, u32 [bar].
            days: i32 [bar]; NO_DAY where a bar has no date.
            count: Of the tickers.

        Raises:
            ValueError: An array is not as described.
        """
        tickers, days = np.ascontiguousarray(tickers, np.uint32), np.ascontiguousarray(days, np.int32)
        if tickers.shape != days.shape or tickers.ndim != 1 or tickers.max(initial=0) >= count:
            raise ValueError(f"each of {days.shape} bars must have the number of one of {count} tickers")
        rows, ends = np.empty(len(days), np.uint32), np.zeros(count, np.int64)
        columns = tickers.ctypes.data, days.ctypes.data, len(days), count
        return cls(days, rows, ends, load_panel().order_rows(*columns, ends.ctypes.data, rows.ctypes.data))


def make_rows(  # noqa: PLR0913  (two of them are named)
    bars: pl.DataFrame,
    order: RowOrder,
    sessions: np.ndarray,
    last: int,
    *,
    maximum_gap: int,
    absurd_price_ratio: float,
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The columns of a panel by name, those of TYPES, and COUNTS of each ticker; on as many threads as Polars has.

    Args:
        bars: The columns VALUES.
        order: Of these bars.
        sessions: The days of the panel's sessions, i32 [session].
        last: The last day of the panel; later bars are left out.
        maximum_gap: As for `build_panel`.
        absurd_price_ratio: As for `build_panel`.

    Raises:
        ValueError: The order is of other bars, the gap is below zero, or the ratio is not above.
    """
    if bars.height != len(order.rows) or maximum_gap < 0 or not absurd_price_ratio > 0:
        raise ValueError(f"{len(order.rows)} of {bars.height} bars, gaps of {maximum_gap}, ratio {absurd_price_ratio}")
    sessions = np.ascontiguousarray(sessions, np.int32)
    first = int(sessions[0]) if len(sessions) else last + 1
    places = np.full(last + 1 - first, -1, np.int32)  # [day]
    places[sessions - first] = np.arange(len(sessions), dtype=np.int32)
    grid = Grid(places.ctypes.data, first, last, len(sessions), maximum_gap, absurd_price_ratio)
    counts, verdicts = np.zeros(len(order.ends), COUNTS), np.empty(len(order.rows), np.uint8)
    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:
        values = list(pool.map(_read, bars.select(VALUES).get_columns()))
        addresses = (array.ctypes.data for array in (order.days, *values, order.rows, order.ends, verdicts))
        given = ctypes.byref(Bars(*addresses)), ctypes.byref(grid)
        parts = share_groups(order.ends)

        def judge(part: tuple[int, int]) -> None:
            load_panel().judge_bars(*given, *part, counts.ctypes.data)

        list(pool.map(judge, parts))
        columns = {name: np.empty(int(counts["rows"].sum()), kind) for name, kind in TYPES.items()}
        written = ctypes.byref(PanelColumns(*(array.ctypes.data for array in columns.values())))
        before = {name: np.cumsum([0, *counts[name]]).tolist() for name in ("rows", "segments")}

        def write(part: tuple[int, int]) -> None:
            begin = before["rows"][part[0]], before["segments"][part[0]]
            load_panel().write_rows(*given, *part, sessions.ctypes.data, *begin, written)

        list(pool.map(write, parts))
    return columns, counts


def _read(column: pl.Series) -> np.ndarray:
    """A column's values, f64 [bar], contiguous; NaN where missing."""
    return np.ascontiguousarray(column.cast(pl.Float64).to_numpy())


def share_groups(ends: np.ndarray) -> list[tuple[int, int]]:
    """The first group and the one behind the last, of parts with about as many rows, one for each thread of Polars.

    Args:
        ends: Where each group of adjacent rows ends, i64 [group].
    """
    rows = int(ends[-1]) if len(ends) else 0
    inner = np.searchsorted(ends, np.linspace(0, rows, pl.thread_pool_size() + 1)[1:-1])
    return list(pairwise([0, *inner.tolist(), len(ends)]))
