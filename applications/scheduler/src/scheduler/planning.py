"""Which runs are due at a moment of the market's clock. The same moment again, or an earlier one, adds none.

Each kind goes on after its own newest session, so that a clock that goes back repeats nothing and one that jumps
ahead leaves nothing out.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from internal.dates import last_closed_session, next_session, sessions
from scheduler.runs import RunKind, ScheduledRun
from scheduler.schedule import Schedule
from scheduler.timetable import Timetable


def plan_due_runs(schedule: Schedule, timetable: Timetable, moment: datetime) -> Schedule:
    """The schedule with the runs that have become due: all collections, and of the others those that still help.

    Of several opens only the last is reconciled, of several closes only the last is decided; the runs of the sessions
    before are `missed`. A new schedule begins with the last session.
    """
    planned = schedule.put(_plan_session_runs(schedule, timetable, moment))
    return planned.put(_plan_retraining(planned, timetable, moment)).prune()


def _plan_session_runs(schedule: Schedule, timetable: Timetable, moment: datetime) -> Iterator[ScheduledRun]:
    for kind in (RunKind.RECONCILIATION, RunKind.COLLECTION, RunKind.DECISION):
        days = _list_due(schedule, timetable, kind, moment)
        for day in days:
            run = ScheduledRun(kind, day, timetable.due_at(kind, day), moment)
            is_overtaken = kind is not RunKind.COLLECTION and day != days[-1]
            reason = f"the scheduler was away until the session of {days[-1]}, which alone gets its {kind}"
            yield run.miss(moment, reason) if is_overtaken else run


def _list_due(schedule: Schedule, timetable: Timetable, kind: RunKind, moment: datetime) -> Sequence[date]:
    """The sessions whose run is due and was never started."""
    last, due = schedule.last(kind), timetable.last_due(kind, moment)
    if last is None:
        return [due]
    return sessions(next_session(last.session), due)


def _plan_retraining(schedule: Schedule, timetable: Timetable, moment: datetime) -> list[ScheduledRun]:
    """A retraining of the newest decided session, when enough sessions have passed since the last success.

    After a failure it is tried again with the next session.
    """
    decision = schedule.last(RunKind.DECISION)
    if timetable.retrain_every == 0 or decision is None or decision.is_running:
        return []
    last, day = schedule.last(RunKind.RETRAINING), decision.session
    if last is not None and (last.is_running or last.session >= day):
        return []
    if (last is None or last.is_success) and day < next_retraining(schedule, timetable.retrain_every, day):
        return []
    return [ScheduledRun(RunKind.RETRAINING, day, timetable.due_at(RunKind.RETRAINING, day), moment)]


def next_retraining(schedule: Schedule, retrain_every: int, day: date) -> date:
    """The session after which the model is trained next: counted from the last success, else the first decision."""
    trained = [run.session for run in schedule.of(RunKind.RETRAINING) if run.is_success]
    decided = [run.session for run in schedule.of(RunKind.DECISION)]
    return next_session([*decided[:1], *trained][-1] if decided or trained else day, retrain_every)


def has_later_closed(run: ScheduledRun, moment: datetime) -> bool:
    """Whether a session after the run's has closed: its prices are then stale."""
    return last_closed_session(moment) > run.session


def list_next_runs(schedule: Schedule, timetable: Timetable) -> list[tuple[RunKind, date, datetime]]:
    """What follows the newest run of each kind, in the order in which it is due; nothing before the first turn."""
    following = [
        (run.kind, next_session(run.session))
        for run in map(schedule.last, (RunKind.RECONCILIATION, RunKind.COLLECTION, RunKind.DECISION))
        if run is not None
    ]
    decision, training = schedule.last(RunKind.DECISION), schedule.last(RunKind.RETRAINING)
    if timetable.retrain_every and decision is not None and not (training and training.is_running):
        after = next_session(max(decision.session, training.session if training else decision.session))
        failed = training is not None and not training.is_success
        planned = next_retraining(schedule, timetable.retrain_every, decision.session)
        following.append((RunKind.RETRAINING, after if failed else max(after, planned)))
    runs = [(kind, session, timetable.due_at(kind, session)) for kind, session in following]
    return sorted(runs, key=lambda run: run[2])
