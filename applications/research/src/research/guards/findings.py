"""Findings: what a guard looked at, and the first row that is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import numpy as np

from internal.trading.arrays import FloatArray


class Guard(StrEnum):
    """What is checked."""

    OUTSIDE_WORLD = "outside world"
    LOOK_AHEAD = "look-ahead"
    REPEATABILITY = "repeatability"
    TICKER_BOUNDARY = "ticker boundary"
    PRICE_LEVEL = "price level"
    WINDOW = "window"
    PAST_FORECASTS = "past forecasts"
    MISSING_DATA = "missing data"
    SCORE = "score"
    DECISION = "decision"
    SPEED = "speed"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one guard; `detail` says what was compared, or the first row that differs and what to do."""

    guard: Guard
    passed: bool
    detail: str


def passed(guard: Guard, detail: str) -> Finding:
    """A guard that found nothing."""
    return Finding(guard, passed=True, detail=detail)


def failed(guard: Guard, detail: str) -> Finding:
    """A guard that found something."""
    return Finding(guard, passed=False, detail=detail)


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where two tables of scores differ."""

    day: date
    ticker: str
    expected: float
    found: float

    def __str__(self) -> str:
        """One phrase with the key and both values."""
        return f"{self.ticker} on {self.day}: {self.found!r} instead of {self.expected!r}"


def first_difference(
    expected: FloatArray, found: FloatArray, days: Sequence[date], tickers: Sequence[str], *, tolerance: float = 0.0
) -> Difference | None:
    """The first session and ticker whose scores [S, N] differ by more than the relative tolerance; NaN equals NaN."""
    scale = np.maximum(np.abs(expected), np.abs(found))
    with np.errstate(invalid="ignore"):
        close = (expected == found) | (np.abs(expected - found) <= tolerance * np.maximum(scale, 1.0))
    wrong = np.argwhere(~(close | (np.isnan(expected) & np.isnan(found))))
    if not len(wrong):
        return None
    session, place = (int(one) for one in wrong[0])
    return Difference(days[session], tickers[place], float(expected[session, place]), float(found[session, place]))
