"""The scheduler's runs as the command line reads and shows them: what ran last, what is overdue, what is due next."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from pydantic import BaseModel

from fund.service_client import ServiceClient


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
    """The answer of the scheduler's `GET /schedule`, as far as the command line reads it."""

    acts: bool
    problem: str
    last: list[LastRun]
    next: list[NextRun]


def read_schedule(scheduler: ServiceClient) -> Schedule:
    """The last and the next runs. Raises UnavailableError when the scheduler does not answer."""
    return Schedule.model_validate(scheduler.get("/schedule?limit=0"))


def describe_schedule(schedule: Schedule) -> Iterator[str]:
    """The lines of `fund status`: why the scheduler waits, if it does, the last runs, and what comes next."""
    if not schedule.acts:
        yield "The scheduler is on standby: another one of this fund acts."
    elif schedule.problem:
        yield f"The scheduler waits: {schedule.problem}"
    for run in schedule.last:
        yield run.describe()
    for upcoming in schedule.next:
        yield upcoming.describe()


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
