"""The JSON body of `GET /schedule`."""

import datetime as dt
from typing import Self

from pydantic import BaseModel, Field

from internal.modes import Mode
from scheduler.runs import Outcome, RunKind, ScheduledRun


class RunResponse(BaseModel):
    """A run that was started; all moments are the market's, UTC."""

    kind: RunKind
    session: dt.date
    due_at: dt.datetime
    started_at: dt.datetime
    ended_at: dt.datetime | None
    outcome: Outcome
    overdue: bool = Field(description="it runs longer than it may")
    reason: str = Field(description="why it is not done, for people; empty when there is nothing to say")

    @classmethod
    def of(cls, run: ScheduledRun, moment: dt.datetime | None) -> Self:
        """The run at a moment of the market's clock."""
        return cls(
            kind=run.kind,
            session=run.session,
            due_at=run.due_at,
            started_at=run.started_at,
            ended_at=run.ended_at,
            outcome=run.outcome,
            overdue=moment is not None and run.is_overdue(moment),
            reason=run.reason,
        )


class NextRunResponse(BaseModel):
    """A run that is not due yet."""

    kind: RunKind
    session: dt.date
    due_at: dt.datetime


class ScheduleResponse(BaseModel):
    """The last and the next run of each kind, and the newest runs."""

    moment: dt.datetime | None = Field(description="the market's clock at the last turn; null before the first")
    mode: Mode | None
    acts: bool = Field(description="whether this scheduler holds the lease")
    problem: str = Field(description="why the last turn came to nothing; empty while all is well")
    last: list[RunResponse] = Field(description="the newest run of each kind")
    next: list[NextRunResponse]
    runs: list[RunResponse] = Field(description="newest first")
