"""A scheduled run: what it is, when it was due and started, and what came of it. All moments are the market's."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Self


class RunKind(StrEnum):
    """What is scheduled, in the order of a session: the open, the close, the decision, the night."""

    RECONCILIATION = "reconciliation"
    COLLECTION = "collection"
    DECISION = "decision"
    RETRAINING = "retraining"


class Outcome(StrEnum):
    """The state of a run: `late` is done after its allowance, `missed` was overtaken by a later session.

    `held` is not decided because trading is halted, or was until a later session closed.
    """

    RUNNING = "running"
    DONE = "done"
    LATE = "late"
    MISSED = "missed"
    FAILED = "failed"
    HELD = "held"


SUCCESSES = frozenset({Outcome.DONE, Outcome.LATE})
ALLOWANCES = {
    RunKind.RECONCILIATION: timedelta(minutes=15),
    RunKind.COLLECTION: timedelta(hours=1),
    RunKind.DECISION: timedelta(hours=1),
    RunKind.RETRAINING: timedelta(hours=24),
}  # how long a run may take before it is overdue
ORDER = {kind: place for place, kind in enumerate(RunKind)}


@dataclass(frozen=True, slots=True)
class ScheduledRun:
    """One run of one session.

    Attributes:
        kind: What is done.
        session: The session that it is about.
        due_at: When it was to start.
        started_at: When the scheduler started it; later than `due_at` after a sleep.
        outcome: Its state.
        ended_at: When it was seen to have ended; None while it runs.
        reason: Why it is not done, for people.
    """

    kind: RunKind
    session: date
    due_at: datetime
    started_at: datetime
    outcome: Outcome = Outcome.RUNNING
    ended_at: datetime | None = None
    reason: str = ""

    @property
    def place(self) -> tuple[datetime, int]:
        """Its place in the order in which runs start."""
        return self.due_at, ORDER[self.kind]

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self.outcome is Outcome.RUNNING

    @property
    def is_success(self) -> bool:
        """Whether it was done, in time or late."""
        return self.outcome in SUCCESSES

    def is_overdue(self, moment: datetime) -> bool:
        """Whether it runs longer than it may."""
        return self.is_running and moment > self.started_at + ALLOWANCES[self.kind]

    def succeed(self, moment: datetime) -> Self:
        """Done, or late when its allowance has passed since it was due."""
        in_time = moment <= self.due_at + ALLOWANCES[self.kind]
        return replace(self, outcome=Outcome.DONE if in_time else Outcome.LATE, ended_at=moment, reason="")

    def miss(self, moment: datetime, reason: str) -> Self:
        """Overtaken by a later session."""
        return replace(self, outcome=Outcome.MISSED, ended_at=moment, reason=reason)

    def hold(self, moment: datetime, reason: str) -> Self:
        """A halt of trading keeps it from being done, as long as that lasts."""
        return replace(self, outcome=Outcome.HELD, ended_at=moment, reason=reason)

    def release(self) -> Self:
        """Trading was resumed: it runs again."""
        return replace(self, outcome=Outcome.RUNNING, ended_at=None, reason="")

    def fail(self, moment: datetime, reason: str) -> Self:
        """Ended without success."""
        return replace(self, outcome=Outcome.FAILED, ended_at=moment, reason=reason)
