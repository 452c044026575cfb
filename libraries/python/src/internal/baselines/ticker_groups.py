"""The groups of rows whose forecasts are corrected together: thirds of a session by volatility, and sectors."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, Self

import numpy as np
import polars as pl

from internal.bar_kernels.library import load_volatility

THIRDS: Final = 3  # calm tickers are missed at other times than volatile ones
UNKNOWN: Final = 0  # the number of no sector: such tickers have nothing in common
FEW_NAMES: Final = 5  # a sector of so many tickers is believed by half


@dataclass(frozen=True)
class SessionOrder:
    """The rows of a panel, session by session.

    Attributes:
        bounds: The first place of each session in that order, and the number of rows, i64 [session + 1].
        moved: The place of each row in that order, those of a session in theirs, i32 [row]; None where the rows are in
            that order already.
    """

    bounds: np.ndarray
    moved: np.ndarray | None

    @classmethod
    def of(cls, session: np.ndarray) -> Self:
        """Of the session of each row, int [row]."""
        day = np.ascontiguousarray(session - (session.min() if len(session) else 0), np.int32)
        ends, places = np.zeros(int(day.max(initial=0)) + 1, np.int64), np.empty(len(day), np.int32)
        load_volatility().place_rows(day.ctypes.data, len(day), len(ends), ends.ctypes.data, places.ctypes.data)
        return cls(np.append(0, ends), None if (day[1:] >= day[:-1]).all() else places)

    @property
    def rows(self) -> int:
        """How many there are."""
        return int(self.bounds[-1])

    @property
    def places(self) -> np.ndarray:
        """The place of each row, i32 [row]."""
        return np.arange(self.rows, dtype=np.int32) if self.moved is None else self.moved

    @property
    def day(self) -> np.ndarray:
        """The session of each row, the panel's first is 0, i32 [row]."""
        lengths = np.diff(self.bounds)
        day = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
        return day if self.moved is None else day[self.moved]

    @property
    def in_order(self) -> Self:
        """Of the same rows when they are in the order of sessions."""
        return replace(self, moved=None)

    def arrange(self, values: np.ndarray) -> np.ndarray:
        """The values of rows, [row], in the order of sessions."""
        if self.moved is None:
            return values
        arranged = np.empty_like(values)
        arranged[self.moved] = values
        return arranged

    def each(self) -> Iterator[np.ndarray | slice]:
        """The rows of each session."""
        bounds = pairwise(self.bounds.tolist())
        if self.moved is None:
            return (slice(first, last) for first, last in bounds)
        rows = self.arrange(np.arange(self.rows))
        return (rows[first:last] for first, last in bounds)


@dataclass(frozen=True)
class TickerGroups:
    """The groups of the rows of a panel.

    Attributes:
        order: Of the rows by session.
        third: Each row's third of its date by trailing volatility, 0 calm, i32 [row].
        sector: The number of each row's sector, i32 [row]; UNKNOWN without one.
    """

    order: SessionOrder
    third: np.ndarray
    sector: np.ndarray

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Self:
        """Of a frame with the columns `session`, `volatility` and `sector_number`."""
        session, sector = (frame.get_column(name).cast(pl.Int32).to_numpy() for name in ("session", "sector_number"))
        order = SessionOrder.of(session)
        return cls(order, split_sessions(order, frame.get_column("volatility").to_numpy()), sector)

    @property
    def sectors(self) -> int:
        """How many numbers of sectors there are, UNKNOWN included."""
        return int(self.sector.max(initial=UNKNOWN)) + 1


def trust(count: np.ndarray) -> np.ndarray:
    """How far the mean of so many tickers is believed, 0 to 1 (Buhlmann 1967: the rest of it is noise)."""
    return np.asarray(count / (count + FEW_NAMES))


def split_sessions(order: SessionOrder, values: np.ndarray) -> np.ndarray:
    """Each row's third of its session by value, i32 [row]; the first of equal values is lower, NaN is in the lowest.

    Only the values where a third begins are looked for, in C, which takes less time than ranks.

    Args:
        order: Of the rows.
        values: f64 [row].

    Raises:
        ValueError: There is not a value for each row.
    """
    values, rows = np.ascontiguousarray(values, np.float64), order.rows
    if values.shape != (rows,):
        raise ValueError(f"{rows} rows have {values.shape} values")
    third, scratch = np.empty(rows, np.int32), np.empty(int(np.diff(order.bounds).max(initial=0)))
    listed = None if order.moved is None else order.arrange(np.arange(rows, dtype=np.int32))
    sessions = order.bounds.ctypes.data, len(order.bounds) - 1
    read = values.ctypes.data, None if listed is None else listed.ctypes.data
    load_volatility().split_sessions(*read, *sessions, THIRDS, scratch.ctypes.data, third.ctypes.data)
    return third
