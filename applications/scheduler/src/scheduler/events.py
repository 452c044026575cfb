"""The events that the scheduler publishes: those that the simulated exchange publishes offline, for the same sessions.

An event's id is its type and session, so that publishing one again, or by two schedulers, is one event to its receiver.
"""

from cloudevents.core.v1.event import CloudEvent

from internal.cloud_events import make_event
from internal.event_types import EventType
from scheduler.runs import RunKind, ScheduledRun
from scheduler.schedule import Schedule

SOURCE = "/scheduler"
EVENT_TYPES = {RunKind.RECONCILIATION: EventType.SESSION_OPENED, RunKind.COLLECTION: EventType.SESSION_CLOSED}


def list_events(schedule: Schedule, *, waits_for_import: bool) -> list[CloudEvent]:
    """The events of the runs that are running, in the order in which they were due.

    With `waits_for_import` no vendor is asked: the owner imports a session's bars, and only then its close is
    published, which leads to its decision.
    """
    runs = (run for run in schedule.runs if run.kind in EVENT_TYPES)
    return [_make(run) for run in runs if _is_announced(schedule, run, waits_for_import=waits_for_import)]


def _is_announced(schedule: Schedule, run: ScheduledRun, *, waits_for_import: bool) -> bool:
    if run.kind is RunKind.RECONCILIATION or not waits_for_import:
        return run.is_running
    decision = schedule.find(RunKind.DECISION, run.session)
    return run.is_success and decision is not None and decision.is_running


def _make(run: ScheduledRun) -> CloudEvent:
    return make_event(EVENT_TYPES[run.kind], SOURCE, run.session, {})
