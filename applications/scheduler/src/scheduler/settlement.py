"""What came of the runs that were started, by what the services say: done, late, missed, failed, or still running."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from internal.event_types import EventType
from scheduler.facts import Facts, Handling
from scheduler.planning import has_later_closed
from scheduler.runs import Outcome, RunKind, ScheduledRun
from scheduler.schedule import Schedule
from scheduler.timetable import last_opened_session

COLLECTION_ENDS = timedelta(hours=24)  # after its start; datamanager goes on asking the vendor by itself
NOT_COLLECTED = (
    "the vendor did not have its bars within a day; `./fund data check` says why, and when it is asked again"
)
NOT_DECIDED = "the next session closed before it was decided"
NOT_RECONCILED = "the next session opened before it was reconciled"


def settle_runs(schedule: Schedule, facts: Facts, moment: datetime) -> Schedule:
    """The schedule with the outcome of every run that the facts decide; a retraining is not judged by them."""
    return schedule.put(_settle(schedule, run, facts, moment) for run in schedule.runs if is_followed(schedule, run))


def is_followed(schedule: Schedule, run: ScheduledRun) -> bool:
    """Whether facts may change the run: it runs, or it came to nothing and may be made good by hand or by a repair."""
    if run.kind is RunKind.RETRAINING or run.is_success:
        return False
    if run.kind is RunKind.DECISION:
        return run.is_running or run == schedule.last(RunKind.DECISION)
    return run.is_running or run.kind is RunKind.COLLECTION


def _settle(schedule: Schedule, run: ScheduledRun, facts: Facts, moment: datetime) -> ScheduledRun:
    match run.kind:
        case RunKind.COLLECTION:
            return _settle_collection(run, facts, moment)
        case RunKind.DECISION:
            return _settle_decision(schedule, run, facts, moment)
        case _:
            return _settle_reconciliation(run, facts, moment)


def _settle_collection(run: ScheduledRun, facts: Facts, moment: datetime) -> ScheduledRun:
    if run.session in facts.collected:
        return run.succeed(moment)
    if run.is_running and moment > run.started_at + COLLECTION_ENDS:
        return run.miss(moment, NOT_COLLECTED)
    return _explain(run, find_handling(facts, EventType.SESSION_CLOSED, run.session))


def _settle_decision(schedule: Schedule, run: ScheduledRun, facts: Facts, moment: datetime) -> ScheduledRun:
    if run.session in facts.decided:
        return run.succeed(moment)
    is_over = has_later_closed(run, moment)
    if run.outcome is Outcome.HELD:
        return run if is_over or facts.halt is not None else run.release()
    if not run.is_running:
        return run
    if is_over:
        return run.miss(moment, run.reason or NOT_DECIDED)
    return _follow_decision(schedule, run, facts, moment)


def _follow_decision(schedule: Schedule, run: ScheduledRun, facts: Facts, moment: datetime) -> ScheduledRun:
    """The running decision of the last closed session."""
    if facts.halt is not None:
        return run.hold(moment, facts.halt)
    if facts.refusal is not None:
        return run.fail(moment, facts.refusal)
    collection = schedule.find(RunKind.COLLECTION, run.session)
    if collection is not None and collection.is_running:
        return replace(run, reason="waits for the bars of its session")
    return _explain(run, find_decision_event(facts, run.session))


def find_decision_event(facts: Facts, session: date) -> Handling | None:
    """The event that decides: that of the predictions, else that of the bars, which leads to it."""
    predictions = find_handling(facts, EventType.PREDICTIONS_MADE, session)
    return predictions or find_handling(facts, EventType.BARS_SYNCED, session)


def _settle_reconciliation(run: ScheduledRun, facts: Facts, moment: datetime) -> ScheduledRun:
    handling = find_handling(facts, EventType.SESSION_OPENED, run.session)
    if handling is not None and handling.is_handled:
        return run.succeed(moment)
    if last_opened_session(moment) > run.session:
        return run.miss(moment, run.reason or NOT_RECONCILED)
    return _explain(run, handling)


def find_handling(facts: Facts, event_type: EventType, session: date) -> Handling | None:
    """What the service that acts on the event of a session has done with it."""
    return facts.handlings.get(f"{event_type}:{session.isoformat()}")


def _explain(run: ScheduledRun, handling: Handling | None) -> ScheduledRun:
    """While it runs, the reason is the last error of its event."""
    if not run.is_running:
        return run
    return replace(run, reason=(handling and handling.last_error) or "")
