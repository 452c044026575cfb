"""Which runs are planned: each close once, in order, none lost, whatever the clock does and wherever it is killed."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from internal.dates import sessions
from scheduler.events import list_events
from scheduler.facts import Facts
from scheduler.planning import list_next_runs, plan_due_runs
from scheduler.runs import Outcome, RunKind, ScheduledRun
from scheduler.schedule import KEPT_SESSIONS, Schedule
from scheduler.settlement import settle_runs
from scheduler.timetable import Timetable

TIMETABLE = Timetable(timedelta(minutes=30), timedelta(minutes=5), retrain_every=5)
MONDAY_NIGHT = datetime(2024, 3, 18, 22, tzinfo=UTC)
CLOSED, OPENED = "application.exchange.session.closed", "application.exchange.session.opened"


def plan(schedule: Schedule, moment: datetime, timetable: Timetable = TIMETABLE) -> Schedule:
    """The schedule after a turn at the moment that nothing has settled."""
    return plan_due_runs(schedule, timetable, moment)


def outcomes(schedule: Schedule, kind: RunKind) -> dict[date, Outcome]:
    """The state of each run of a kind."""
    return {run.session: run.outcome for run in schedule.of(kind)}


def test_new_schedule_begins_with_the_last_session() -> None:
    """A fund that was never scheduled collects and decides the last closed session at once, and no older one."""
    schedule = plan(Schedule(), MONDAY_NIGHT)
    assert {(run.kind, run.session) for run in schedule.runs} == {
        (kind, date(2024, 3, 18)) for kind in (RunKind.RECONCILIATION, RunKind.COLLECTION, RunKind.DECISION)
    }
    assert plan(schedule, MONDAY_NIGHT + timedelta(hours=15)) == schedule


def test_sleep_of_days_is_caught_up_once() -> None:
    """From Monday night to Thursday noon: all closes are collected, the last alone is decided and reconciled."""
    schedule = plan(plan(Schedule(), MONDAY_NIGHT), datetime(2024, 3, 21, 16, tzinfo=UTC))
    tuesday, wednesday, thursday = date(2024, 3, 19), date(2024, 3, 20), date(2024, 3, 21)
    running, missed = Outcome.RUNNING, Outcome.MISSED
    monday = {date(2024, 3, 18): running}
    assert outcomes(schedule, RunKind.COLLECTION) == monday | {tuesday: running, wednesday: running}
    assert outcomes(schedule, RunKind.DECISION) == monday | {tuesday: missed, wednesday: running}
    assert outcomes(schedule, RunKind.RECONCILIATION) == monday | {
        tuesday: missed,
        wednesday: missed,
        thursday: running,
    }
    closes = [event.get_id() for event in list_events(schedule, waits_for_import=False)]
    assert closes == [
        f"{OPENED}:2024-03-18",
        f"{CLOSED}:2024-03-18",
        f"{CLOSED}:2024-03-19",
        f"{CLOSED}:2024-03-20",
        f"{OPENED}:2024-03-21",
    ]


def test_clock_that_goes_back_repeats_nothing() -> None:
    """A moment before the last one, and the same one again, add no run."""
    schedule = plan(Schedule(), MONDAY_NIGHT)
    for back in (timedelta(0), timedelta(hours=3), timedelta(days=400)):
        assert plan(schedule, MONDAY_NIGHT - back) == schedule


def test_import_is_waited_for() -> None:
    """Where the owner imports the bars, a close is published when they are there, until its session is decided."""
    day = date(2024, 3, 18)
    schedule = plan(Schedule(), MONDAY_NIGHT)
    assert [event.get_id() for event in list_events(schedule, waits_for_import=True)] == [f"{OPENED}:{day}"]
    imported = settle_runs(schedule, Facts(collected=frozenset({day})), MONDAY_NIGHT)
    assert f"{CLOSED}:{day}" in [event.get_id() for event in list_events(imported, waits_for_import=True)]
    decided = settle_runs(imported, Facts(frozenset({day}), frozenset({day})), MONDAY_NIGHT)
    assert f"{CLOSED}:{day}" not in [event.get_id() for event in list_events(decided, waits_for_import=True)]


def test_a_decision_is_held_as_long_as_trading_is_halted() -> None:
    """Resumed it runs again, and decided it is late; halted until the next close it stays held, and was not missed."""
    day, halt = date(2024, 3, 18), "trading is halted, by ada: data look wrong"
    collected = frozenset({day})
    held = settle_runs(plan(Schedule(), MONDAY_NIGHT), Facts(collected, halt=halt), MONDAY_NIGHT)
    run = held.find(RunKind.DECISION, day)
    assert run is not None
    morning = MONDAY_NIGHT + timedelta(hours=9)
    assert (run.outcome, run.reason) == (Outcome.HELD, halt)
    assert not any(one.kind is RunKind.DECISION for one in held.overdue(morning))
    resumed = settle_runs(held, Facts(collected), morning)
    assert outcomes(resumed, RunKind.DECISION) == {day: Outcome.RUNNING}
    decided = settle_runs(resumed, Facts(collected, collected), morning)
    assert outcomes(decided, RunKind.DECISION) == {day: Outcome.LATE}
    later = plan(held, MONDAY_NIGHT + timedelta(days=1))
    for facts in (Facts(collected, halt=halt), Facts(collected)):
        later = settle_runs(later, facts, MONDAY_NIGHT + timedelta(days=1))
        assert outcomes(later, RunKind.DECISION)[day] is Outcome.HELD


def decide_daily(first: date, last: date, timetable: Timetable, *, training: Outcome = Outcome.DONE) -> Schedule:
    """The schedule after these sessions, each decided in time, each retraining ended as given."""
    schedule = Schedule()
    for day in sessions(first, last):
        moment = timetable.due_at(RunKind.DECISION, day)
        schedule = settle_runs(plan(schedule, moment, timetable), Facts(frozenset({day}), frozenset({day})), moment)
        schedule = plan(schedule, moment, timetable)
        run = schedule.find(RunKind.RETRAINING, day)
        if run is not None:
            ended = run.succeed(moment) if training is Outcome.DONE else run.fail(moment, "killed")
            schedule = schedule.put([ended])
    return schedule


def test_retraining_after_so_many_sessions() -> None:
    """Every fifth session after the first decision; next to the decision it is what the schedule announces."""
    schedule = decide_daily(date(2024, 3, 18), date(2024, 4, 3), TIMETABLE)
    assert list(outcomes(schedule, RunKind.RETRAINING)) == [date(2024, 3, 25), date(2024, 4, 2)]
    upcoming = {kind: day for kind, day, _ in list_next_runs(schedule, TIMETABLE)}
    assert upcoming[RunKind.RETRAINING] == date(2024, 4, 9)
    assert upcoming[RunKind.DECISION] == date(2024, 4, 4)
    assert not decide_daily(date(2024, 3, 18), date(2024, 4, 3), Timetable(timedelta(), timedelta())).of(
        RunKind.RETRAINING
    )


def test_failed_retraining_is_tried_at_the_next_session() -> None:
    """Not again in the same night, and not only after five more sessions."""
    schedule = decide_daily(date(2024, 3, 18), date(2024, 3, 27), TIMETABLE, training=Outcome.FAILED)
    assert list(outcomes(schedule, RunKind.RETRAINING)) == [date(2024, 3, 25), date(2024, 3, 26), date(2024, 3, 27)]
    upcoming = {kind: day for kind, day, _ in list_next_runs(schedule, TIMETABLE)}
    assert upcoming[RunKind.RETRAINING] == date(2024, 3, 28)


def test_pruned_schedule_goes_on_where_it_was() -> None:
    """Two years later the oldest rows are gone, and no session is planned again."""
    moment = MONDAY_NIGHT + timedelta(days=730)
    schedule = plan(plan(Schedule(), MONDAY_NIGHT), moment)
    assert len(schedule.of(RunKind.DECISION)) <= KEPT_SESSIONS + 1
    assert plan(schedule, moment) == schedule


@dataclass
class Scheduler:
    """One of two schedulers: what it has published from its own outbox."""

    outbox: list[str] = field(default_factory=list[str])


class ScheduledFund(RuleBasedStateMachine):
    """Two schedulers with one stored schedule, under a clock that jumps, sleeps and goes back, killed at any step."""

    def __init__(self) -> None:
        super().__init__()
        self.stored = Schedule()
        self.moment = MONDAY_NIGHT
        self.latest = MONDAY_NIGHT  # of all moments that a turn saw
        self.received: list[str] = []
        self.schedulers = (Scheduler(), Scheduler())

    @initialize(seconds=st.integers(0, 8 * 86_400))
    def begin(self, seconds: int) -> None:
        """The first turn, at any moment of a week."""
        self.moment = self.latest = MONDAY_NIGHT + timedelta(seconds=seconds)
        self.first = TIMETABLE.last_due(RunKind.COLLECTION, self.moment)
        self.turn(0, 99)

    @rule(seconds=st.one_of(st.integers(1, 1800), st.integers(3600, 12 * 86_400)))
    def go_on(self, seconds: int) -> None:
        """Time passes: a moment, or a sleep of days."""
        self.moment += timedelta(seconds=seconds)

    @rule(seconds=st.integers(1, 30 * 86_400))
    def go_back(self, seconds: int) -> None:
        """The clock goes back."""
        self.moment -= timedelta(seconds=seconds)

    @rule(number=st.sampled_from([0, 1]), steps=st.integers(0, 9))
    def turn(self, number: int, steps: int) -> None:
        """A turn of a scheduler that is killed after so many steps; the other may act next."""
        scheduler = self.schedulers[number]
        planned = plan(self.stored, self.moment)
        if steps == 0:
            return
        self.stored = planned
        self.latest = max(self.latest, self.moment)
        events = list_events(planned, waits_for_import=False)
        for event in events[: steps - 1]:
            if event.get_id() not in scheduler.outbox:
                scheduler.outbox.append(str(event.get_id()))
        if steps > len(events) + 1:
            self.settle()

    @rule(number=st.sampled_from([0, 1]), count=st.integers(1, 9))
    def deliver(self, number: int, count: int) -> None:
        """Some events of an outbox arrive, in its order; the receiver keeps each id once."""
        for identity in self.schedulers[number].outbox[:count]:
            if identity not in self.received:
                self.received.append(identity)

    def settle(self) -> None:
        """The last step of a turn: datamanager has collected what it received, and the last session is decided."""
        collected = frozenset(
            date.fromisoformat(identity.partition(":")[2]) for identity in self.received if identity.startswith(CLOSED)
        )
        self.stored = settle_runs(
            self.stored, Facts(collected, frozenset({max(collected)}) if collected else frozenset()), self.moment
        )

    @invariant()
    def plans_every_close_once(self) -> None:
        """Every close since the first is in the schedule once, up to the latest moment that a turn saw."""
        due = TIMETABLE.last_due(RunKind.COLLECTION, self.latest)
        planned = [run.session for run in self.stored.of(RunKind.COLLECTION)]
        assert planned == sessions(self.first, due)

    @invariant()
    def publishes_in_order(self) -> None:
        """What arrives of one scheduler arrives in the order of the sessions."""
        for scheduler in self.schedulers:
            closes = [identity for identity in scheduler.outbox if identity.startswith(CLOSED)]
            assert closes == sorted(set(closes))

    @invariant()
    def decides_no_session_twice(self) -> None:
        """Each session has one decision at most, and of those that one turn added all but the last are missed."""
        decisions = self.stored.of(RunKind.DECISION)
        assert [run.session for run in decisions] == sorted({run.session for run in decisions})
        for earlier, later in pairwise(decisions):
            assert earlier.started_at != later.started_at or earlier.outcome is Outcome.MISSED

    def teardown(self) -> None:
        """One whole turn later, and once all has arrived, no close is lost and none came twice."""
        self.moment = self.latest
        for number in (0, 1):
            self.turn(number, 10_000)
            self.deliver(number, 10_000)
        closes = [identity for identity in self.received if identity.startswith(CLOSED)]
        expected = {
            f"{CLOSED}:{day}" for day in sessions(self.first, TIMETABLE.last_due(RunKind.COLLECTION, self.latest))
        }
        assert set(closes) == expected
        assert len(closes) == len(expected)


TestScheduledFund = ScheduledFund.TestCase
TestScheduledFund.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)


@pytest.mark.long
class TestManyScheduledFunds(ScheduledFund.TestCase):
    """The same over more and longer histories."""

    settings = settings(max_examples=1_500, stateful_step_count=60, deadline=None)


def test_run_is_late_after_its_allowance() -> None:
    """Done within an hour, late afterwards; overdue is counted from the start."""
    due = TIMETABLE.due_at(RunKind.COLLECTION, date(2024, 3, 18))
    run = ScheduledRun(RunKind.COLLECTION, date(2024, 3, 18), due, due + timedelta(days=2))
    assert run.succeed(due + timedelta(hours=1)).outcome is Outcome.DONE
    assert run.succeed(due + timedelta(hours=1, seconds=1)).outcome is Outcome.LATE
    assert not run.is_overdue(due + timedelta(days=2, hours=1))
    assert run.is_overdue(due + timedelta(days=2, hours=1, seconds=1))
