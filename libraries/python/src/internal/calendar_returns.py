"""Returns by calendar month and year."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import groupby

import numpy as np

from internal.performance import Numbers


@dataclass(frozen=True)
class YearOfReturns:
    """The returns of one calendar year, as fractions; `months` holds twelve. None: no session, or a value unknown."""

    year: int
    months: tuple[float | None, ...]
    total: float | None


def returns_by_month(days: tuple[date, ...], returns: Numbers) -> tuple[YearOfReturns, ...]:
    """Returns, f64 [session], each of the session with the same index, compounded by month and year."""
    rows = sorted(zip(days, returns.tolist(), strict=True))
    return tuple(_year(year, list(part)) for year, part in groupby(rows, key=lambda row: row[0].year))


def _year(year: int, rows: list[tuple[date, float]]) -> YearOfReturns:
    months = {month: _compound(part) for month, part in groupby(rows, key=lambda row: row[0].month)}
    return YearOfReturns(year, tuple(months.get(month) for month in range(1, 13)), _compound(rows))


def _compound(rows: Iterable[tuple[date, float]]) -> float | None:
    growth = float(np.prod([1 + value for _, value in rows]))
    return growth - 1 if np.isfinite(growth) else None
