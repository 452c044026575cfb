"""Which runs are alerts: overdue ones, a failed retraining, a missed collection; and when an alert ends."""

from datetime import UTC, date, datetime, timedelta

from scheduler.alerts import list_alerts, resolve_alerts
from scheduler.runs import RunKind, ScheduledRun
from scheduler.schedule import Schedule

MONDAY, TUESDAY = date(2024, 3, 18), date(2024, 3, 19)
DUE = datetime(2024, 3, 18, 20, 30, tzinfo=UTC)


def run_of(kind: RunKind, day: date = MONDAY) -> ScheduledRun:
    """A run that started when it was due."""
    return ScheduledRun(kind, day, DUE + (day - MONDAY), DUE + (day - MONDAY))


def test_overdue_run() -> None:
    """Once it takes longer than it may, with its reason; its end is said when it succeeds, late as it is."""
    run = run_of(RunKind.COLLECTION)
    schedule = Schedule((run,))
    assert list_alerts(schedule, DUE + timedelta(hours=1)) == []
    (alert,) = list_alerts(schedule, DUE + timedelta(hours=2))
    assert (alert.name, alert.is_resolved) == ("CollectionOverdue", False)
    assert alert.text == "The collection of 2024-03-18 is overdue since 2024-03-18 20:30 UTC."
    assert resolve_alerts([alert], schedule) == []
    (ended,) = resolve_alerts([alert], Schedule((run.succeed(DUE + timedelta(hours=3)),)))
    assert (ended.name, ended.is_resolved) == ("CollectionOverdue", True)
    assert ended.text == "The collection of 2024-03-18 is done."


def test_runs_that_came_to_nothing() -> None:
    """The newest failed retraining and missed collection; decisions are portfoliomanager's own messages."""
    failed = run_of(RunKind.RETRAINING).fail(DUE, "it ended with exit status 3")
    missed = run_of(RunKind.COLLECTION).miss(DUE, "the vendor did not have its bars within a day")
    schedule = Schedule((failed, missed, run_of(RunKind.DECISION).miss(DUE, "the scheduler was away")))
    assert [(alert.name, alert.text) for alert in list_alerts(schedule, DUE)] == [
        ("RetrainingFailed", "The retraining of 2024-03-18 has failed: it ended with exit status 3."),
        ("CollectionMissed", "The collection of 2024-03-18 was missed: the vendor did not have its bars within a day."),
    ]
    later = schedule.put([run_of(RunKind.COLLECTION, TUESDAY).succeed(DUE), run_of(RunKind.RETRAINING, TUESDAY)])
    assert list_alerts(later, DUE) == []
