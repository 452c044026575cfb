"""The schedule: every run that was started, oldest first; changing it makes another one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from scheduler.runs import RunKind, ScheduledRun

KEPT_SESSIONS = 260  # a year of each kind


@dataclass(frozen=True)
class Schedule:
    """The runs of the past and those that are running; a session has at most one run of a kind."""

    runs: tuple[ScheduledRun, ...] = ()

    def of(self, kind: RunKind) -> list[ScheduledRun]:
        """The runs of a kind, oldest first."""
        return [run for run in self.runs if run.kind is kind]

    def last(self, kind: RunKind) -> ScheduledRun | None:
        """The newest run of a kind."""
        return max(self.of(kind), key=lambda run: run.session, default=None)

    def find(self, kind: RunKind, session: date) -> ScheduledRun | None:
        """The run of a session."""
        return next((run for run in self.runs if run.kind is kind and run.session == session), None)

    def running(self) -> list[ScheduledRun]:
        """The runs that have not ended, in the order in which they were due."""
        return [run for run in self.runs if run.is_running]

    def overdue(self, moment: datetime) -> list[ScheduledRun]:
        """The runs that take longer than they may."""
        return [run for run in self.runs if run.is_overdue(moment)]

    def put(self, changed: Iterable[ScheduledRun]) -> "Schedule":
        """With these runs added, or in place of those of the same kind and session."""
        runs = {(run.kind, run.session): run for run in (*self.runs, *changed)}
        return Schedule(tuple(sorted(runs.values(), key=lambda run: run.place)))

    def prune(self) -> "Schedule":
        """Without the oldest ended runs; the newest of each kind stays, because the next run is counted from it."""
        kept = {run for kind in RunKind for run in self.of(kind)[-KEPT_SESSIONS:]}
        return Schedule(tuple(run for run in self.runs if run in kept or run.is_running))
