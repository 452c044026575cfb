"""Schedules: at the close of which sessions a strategy decides, a function of the day and the calendar alone."""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Self

from internal.dates import LAST_DAY, previous_session, session_number, sessions
from internal.errors import InvalidRequestError


class Period(StrEnum):
    """What a schedule counts."""

    SESSION = "session"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Schedule:
    """The first session of each week or month, or every `every`-th session of the calendar."""

    period: Period
    every: int = 1

    def is_due(self, day: date) -> bool:
        """Whether the schedule decides at the close of the session."""
        match self.period:
            case Period.SESSION:
                return session_number(day) % self.every == 0
            case Period.WEEK:
                return previous_session(day).isocalendar()[:2] != day.isocalendar()[:2]
            case Period.MONTH:
                return previous_session(day).month != day.month

    def next_due(self, day: date) -> date | None:
        """The first session after the day at whose close the schedule decides; None when the calendar ends before."""
        return next((one for one in sessions(day, LAST_DAY) if one > day and self.is_due(one)), None)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The schedule of `daily`, `weekly`, `monthly` or `every 5 sessions`. Raises InvalidRequestError."""
        named = {"daily": Period.SESSION, "weekly": Period.WEEK, "monthly": Period.MONTH}
        if text in named:
            return cls(named[text])
        if (match := re.fullmatch(r"every ([1-9]\d*) sessions?", text)) is None:
            raise InvalidRequestError(f'a schedule is daily, weekly, monthly or "every N sessions", not {text!r}')
        return cls(Period.SESSION, int(match[1]))

    def __str__(self) -> str:
        """The text that `parse` reads."""
        if self.period is Period.SESSION and self.every > 1:
            return f"every {self.every} sessions"
        return {Period.SESSION: "daily", Period.WEEK: "weekly", Period.MONTH: "monthly"}[self.period]


DAILY = Schedule(Period.SESSION)
WEEKLY = Schedule(Period.WEEK)
MONTHLY = Schedule(Period.MONTH)


def every(sessions: int) -> Schedule:
    """Every n-th session of the calendar. Raises InvalidRequestError below 1."""
    if sessions < 1:
        raise InvalidRequestError(f"a schedule counts at least 1 session, not {sessions}")
    return Schedule(Period.SESSION, sessions)
