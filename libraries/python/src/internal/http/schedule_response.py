"""The scheduler's `GET /schedule` as others read it: what ran last, what is overdue, and what is due next."""

from datetime import UTC, date, datetime

from pydantic import BaseModel


class LastRun(BaseModel):
    """The newest run of a kind; moments are the market's."""

    kind: str
    session: date
    outcome: str
    ended_at: datetime | None
    overdue: bool
    reason: str

    def describe(self) -> str:
        """One line: what, how it ended, and why not."""
        ended = f" at {_minute(self.ended_at)}" if self.ended_at else ""
        why = f": {self.reason}" if self.reason else ""
        return f"{self.kind} of {self.session}: {'overdue' if self.overdue else self.outcome}{ended}{why}"


class NextRun(BaseModel):
    """A run that is not due yet."""

    kind: str
    session: date
    due_at: datetime

    def describe(self) -> str:
        """One line: what, and when."""
        return f"next: {self.kind} of {self.session} at {_minute(self.due_at)}"


class Schedule(BaseModel):
    """The answer of the scheduler's `GET /schedule`, as far as others read it."""

    acts: bool
    problem: str
    last: list[LastRun]
    next: list[NextRun]


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
