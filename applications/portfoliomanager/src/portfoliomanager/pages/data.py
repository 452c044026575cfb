"""The Data page: each session, what is held back and why, corporate actions, and what a person has to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Self

import polars as pl
from markupsafe import Markup

from internal.dates import is_session
from internal.http.datamanager_responses import DataCheck
from internal.pages import marks
from internal.pages.marks import DayCell
from internal.trading.funnel import Funnel
from portfoliomanager.pages.corporate_actions import ActionLine
from portfoliomanager.pages.sources import DATAMANAGER

WEEKEND = 5  # date.weekday of Saturday
SHOWN_YEARS = 6


@dataclass(frozen=True)
class Month:
    """A month of the session calendar, as a picture."""

    name: str
    picture: Markup


@dataclass(frozen=True)
class Year:
    """A year of the session calendar."""

    number: int
    months: tuple[Month, ...]


@dataclass(frozen=True)
class DataView:
    """What the page shows of the lake.

    Attributes:
        check: What the data service found.
        bars: Bars in the lake; None where the sessions could not be read.
        tickers: Tickers that the lake has details of, those that are listed no more among them.
        last_bars: Bars of the last session in the lake.
        last: The last session in the lake.
        years: The calendar, the newest year first.
    """

    check: DataCheck
    bars: int | None
    tickers: int
    last_bars: int
    last: date | None
    years: tuple[Year, ...]

    @classmethod
    def of(cls, check: DataCheck, sessions: pl.DataFrame, tickers: int) -> Self:
        """The view of the data service's answers; `sessions` has `date`, `rows` and `quarantined`."""
        kept = sessions.sort("date")
        rows = {day: (count, held) for day, count, held in kept.select("date", "rows", "quarantined").iter_rows()}
        years = tuple(reversed(_draw_years(check, rows)[-SHOWN_YEARS:])) if check.sessions.first else ()
        bars, last = sum(count for count, _ in rows.values()), max(rows, default=None)
        return cls(check, bars, tickers, rows[last][0] if last else 0, last, years)

    @property
    def lead(self) -> str:
        """One sentence about the whole."""
        counts = self.check.sessions
        if counts.first is None:
            return "Nothing was collected yet"
        span = f"from {counts.first:%-d %B %Y} to {self.check.end:%-d %B %Y}"
        if not counts.missing:
            return f"Every session of the exchange {span} is in the lake"
        verb = "is" if len(counts.missing) == 1 else "are"
        return f"{len(counts.missing)} of {counts.expected} sessions {span} {verb} missing"


@dataclass(frozen=True)
class DecidedNames:
    """How many names the last decision had, from the listed ones to the book."""

    day: date
    funnel: Funnel


@dataclass(frozen=True)
class DataPage:
    """The page and what its sources said; `actions` is None where they could not be read.

    `names` is None before the first decision, and where its names were not stored with it.
    """

    data: DataView | None
    names: DecidedNames | None
    actions: list[ActionLine] | None
    problem: str
    actions_problem: str
    source: str = DATAMANAGER


def _draw_years(check: DataCheck, rows: dict[date, tuple[int, int]]) -> list[Year]:
    first, found = check.sessions.first or check.end, _Sessions(check, rows)
    days = [first + timedelta(days=number) for number in range((check.end - first).days + 1)]
    cells = [(day, _describe_day(day, found)) for day in days if day.weekday() < WEEKEND]
    return [Year(year, _draw_months(list(of_year))) for year, of_year in groupby(cells, key=lambda cell: cell[0].year)]


def _draw_months(cells: Sequence[tuple[date, DayCell]]) -> tuple[Month, ...]:
    return tuple(
        Month(f"{date(2000, number, 1):%b}", marks.month([cell for _, cell in of_month]))
        for number, of_month in groupby(cells, key=lambda cell: cell[0].month)
    )


def _describe_day(day: date, found: "_Sessions") -> DayCell:
    first_weekday = day.replace(day=1).weekday()
    row = (day.day - 1 + first_weekday) // 7 - (1 if first_weekday >= WEEKEND else 0)
    kind, title = found.describe(day)
    return DayCell(day.weekday(), row, kind, f"{day:%-d %b %Y}: {title}")


class _Sessions:
    """What became of each session, by day."""

    def __init__(self, check: DataCheck, rows: dict[date, tuple[int, int]]) -> None:
        self._rows, self._late, self._repaired = rows, set(check.sessions.late), set(check.sessions.repaired)
        self._missing = {one.date: one.reason for one in check.sessions.missing}

    def describe(self, day: date) -> tuple[str, str]:
        """The kind of the day's cell, and what is said about it."""
        if not is_session(day):
            return "holiday", "the exchange was closed"
        if day in self._missing:
            return "missing", f"missing, {self._missing[day]}"
        count, held = self._rows.get(day, (0, 0))
        bars = f"{count:,} bars" + (f", {held:,} held back" if held else "")
        if day in self._repaired:
            return "repaired", f"{bars}, missing at first"
        return ("late", f"{bars}, collected late") if day in self._late else ("complete", bars)
