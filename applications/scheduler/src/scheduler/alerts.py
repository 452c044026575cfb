"""Alerts to the owner: runs that are overdue, and those that came to nothing without anybody else saying so.

A failed decision, and decisions that a sleep has skipped, are messages of portfoliomanager itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from scheduler.runs import Outcome, RunKind, ScheduledRun
from scheduler.schedule import Schedule


@dataclass(frozen=True)
class Alert:
    """One alert; the same run raises the same one again and again, and a message is sent once.

    Attributes:
        run: What it is about.
        name: The name of the alert, such as `CollectionOverdue`.
        text: What happened and why, for people.
        is_resolved: Whether it has ended.
    """

    run: ScheduledRun
    name: str
    text: str
    is_resolved: bool = False

    @property
    def key(self) -> tuple[str, str, bool]:
        """What makes it the same alert, whatever its text has become."""
        return self.name, self.run.session.isoformat(), self.is_resolved


def list_alerts(schedule: Schedule, moment: datetime) -> list[Alert]:
    """The alerts of the newest run of each kind that needs one."""
    return [*_list_overdue(schedule, moment), *_list_unsuccessful(schedule)]


def _list_overdue(schedule: Schedule, moment: datetime) -> Iterator[Alert]:
    for run in schedule.overdue(moment):
        yield _make_alert(run, "Overdue", f"is overdue since {run.due_at:%Y-%m-%d %H:%M} UTC")


def _list_unsuccessful(schedule: Schedule) -> Iterator[Alert]:
    for kind, outcome, word in (
        (RunKind.RETRAINING, Outcome.FAILED, "Failed"),
        (RunKind.COLLECTION, Outcome.MISSED, "Missed"),
    ):
        run = schedule.last(kind)
        if run is not None and run.outcome is outcome:
            yield _make_alert(run, word, f"has {outcome}" if outcome is Outcome.FAILED else f"was {outcome}")


def _make_alert(run: ScheduledRun, word: str, what: str) -> Alert:
    why = f": {run.reason}" if run.reason else ""
    return Alert(run, f"{run.kind.capitalize()}{word}", f"The {run.kind} of {run.session} {what}{why}.")


def resolve_alerts(raised: list[Alert], schedule: Schedule) -> list[Alert]:
    """The end of alerts whose run has succeeded since."""
    found = ((alert, schedule.find(alert.run.kind, alert.run.session)) for alert in raised)
    return [
        Alert(run, alert.name, f"The {run.kind} of {run.session} is done.", is_resolved=True)
        for alert, run in found
        if run is not None and run.is_success
    ]
