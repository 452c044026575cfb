"""The groups of rows whose forecasts are corrected together: thirds of a session by volatility, and sectors."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
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
        day: The session of each row, the panel's first is 0, i32 [row].
        places: The place of each row in the order of sessions, those of a session in theirs, i32 [row].
        bounds: The first place of each session in that order, and the number of rows, i64 [session + 1].
        is_given: Whether the rows are in that order already.
    """

    day: np.ndarray
    places: np.ndarray
    bounds: np.ndarray
    is_given: bool

    @classmethod
    def of(cls, session: np.ndarray) -> Self:
        """Of the session of each row, int [row]."""
        day = np.ascontiguousarray(session - (session.min() if len(session) else 0), np.int32)
        ends, places = np.zeros(int(day.max(initial=0)) + 1, np.int64), np.empty(len(day), np.int32)
        load_volatility().place_rows(day.ctypes.data, len(day), len(ends), ends.ctypes.data, places.ctypes.data)
        return cls(day, places, np.append(0, ends), bool((day[1:] >= day[:-1]).all()))

    def arrange(self, values: np.ndarray) -> np.ndarray:
        """The values of rows, [row], in the order of sessions."""
        arranged = np.empty_like(values)
        arranged[self.places] = values
        return arranged

    def each(self) -> Iterator[np.ndarray | slice]:
        """The rows of each session."""
        bounds = pairwise(self.bounds.tolist())
        if self.is_given:
            return (slice(first, last) for first, last in bounds)
        rows = self.arrange(np.arange(len(self.places)))
        return (rows[first:last] for first, last in bounds)


@dataclass(frozen=True)
class TickerGroups:
    """The groups of the rows of a panel.

    Attributes:
        session: The session of each row, i32 [row].
        third: Each row's third of its date by trailing volatility, 0 calm, i32 [row].
        sector: The number of each row's sector, i32 [row]; UNKNOWN without one.
    """

    session: np.ndarray
    third: np.ndarray
    sector: np.ndarray

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Self:
        """Of a frame with the columns `session`, `volatility` and `sector_number`."""
        session, sector = (frame.get_column(name).cast(pl.Int32).to_numpy() for name in ("session", "sector_number"))
        return cls.of_columns(session, frame.get_column("volatility").to_numpy(), sector)

    @classmethod
    def of_columns(cls, session: np.ndarray, volatility: np.ndarray, sector: np.ndarray) -> Self:
        """Of these columns: i32 [row], f64 [row] and i32 [row]."""
        groups = cls(session, np.empty_like(session), sector)
        for rows in groups.order.each():
            groups.third[rows] = _split(volatility[rows])
        return groups

    @cached_property
    def order(self) -> SessionOrder:
        """Of the rows."""
        return SessionOrder.of(self.session)

    @property
    def sectors(self) -> int:
        """How many numbers of sectors there are, UNKNOWN included."""
        return int(self.sector.max(initial=UNKNOWN)) + 1


def trust(count: np.ndarray) -> np.ndarray:
    """How far the mean of so many tickers is believed, 0 to 1 (Buhlmann 1967: the rest of it is noise)."""
    return np.asarray(count / (count + FEW_NAMES))


def _split(values: np.ndarray) -> np.ndarray:
    """The third of each value by its rank, i32 [value]; the first of equal values is lower, NaN is in the lowest.

    Only the values where a third begins are looked for, which takes an eighth of the time of ranks.
    """
    count, third = int(np.count_nonzero(~np.isnan(values))), np.zeros(len(values), np.int32)
    firsts = np.searchsorted(np.arange(count) / max(count, 1) * THIRDS, np.arange(1, THIRDS))
    firsts = firsts[firsts < count]
    for first, border in zip(firsts.tolist(), np.partition(values, firsts)[firsts].tolist(), strict=True):
        third += values >= border
        third[np.flatnonzero(values == border)[: first - np.count_nonzero(values < border)]] -= 1
    return third
