"""Repairs by direct request: when one is made, how often, and what a refusal means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest

from internal.errors import ConflictError, UnavailableError, UpstreamError
from internal.modes import Mode
from scheduler.alerts import Alert
from scheduler.facts import Facts, Handling
from scheduler.planning import plan_due_runs
from scheduler.ports import MarketTime
from scheduler.repairs import Repairs
from scheduler.schedule import Schedule
from scheduler.timetable import Timetable

MONDAY = date(2024, 3, 18)
DUE = datetime(2024, 3, 18, 20, 30, tzinfo=UTC)
SCHEDULE = plan_due_runs(Schedule(), Timetable(timedelta(minutes=30), timedelta(minutes=5)), DUE)
CLOSED = f"application.exchange.session.closed:{MONDAY}"
SYNCED = f"application.datamanager.equity_bars.synced:{MONDAY}"
PREDICTED = f"application.portfoliomanager.predictions.made:{MONDAY}"
HANDLED, PENDING = Handling(is_handled=True, is_pending=False), Handling(is_handled=False, is_pending=True)
GIVEN_UP = Handling(is_handled=False, is_pending=False, last_error="the vendor has no bars")
COLLECTED = frozenset({MONDAY})


@dataclass
class Services:
    """The port `FundServices` in memory: what was asked of it, and what it answers."""

    error: Exception | None = None
    asked: list[str] = field(default_factory=list[str])

    def read_clock(self) -> MarketTime:
        """Not asked here."""
        raise AssertionError

    def list_collected(self) -> frozenset[date]:
        """Not asked here."""
        raise AssertionError

    def list_decided(self, since: date) -> frozenset[date]:
        """Not asked here."""
        raise AssertionError(since)

    def read_halt(self) -> str | None:
        """Not asked here."""
        raise AssertionError

    def list_handlings(self) -> Mapping[str, Handling]:
        """Not asked here."""
        raise AssertionError

    def collect(self, day: date) -> None:
        """Collect a session."""
        self._answer(f"collect {day}")

    def decide(self, day: date) -> None:
        """Decide a session."""
        self._answer(f"decide {day}")

    def send_alerts(self, alerts: Sequence[Alert]) -> None:
        """Not asked here."""
        raise AssertionError(alerts)

    def close(self) -> None:
        """Nothing is open."""

    def _answer(self, request: str) -> None:
        self.asked.append(request)
        if self.error is not None:
            raise self.error


@dataclass
class Repairing:
    """Repairs whose clocks the test moves."""

    services: Services = field(default_factory=Services)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.repairs = Repairs(self.services, lambda: self.seconds)

    def turn(self, seconds: float, facts: Facts, *, collects: bool = True) -> Facts:
        """A turn so many seconds after the last one."""
        self.seconds += seconds
        time = MarketTime(DUE + timedelta(seconds=self.seconds), Mode.LIVE)
        return self.repairs.repair(SCHEDULE, facts, time, collects=collects)


def test_given_up_session_is_collected_every_quarter_of_an_hour() -> None:
    """Not before it is overdue, not while datamanager tries by itself, and not where the owner imports."""
    repairing = Repairing(Services(UpstreamError("the vendor has no bars")))
    given_up = Facts(handlings={CLOSED: GIVEN_UP})
    repairing.turn(3600, given_up)
    repairing.turn(1, Facts(handlings={CLOSED: PENDING}))
    repairing.turn(0, given_up, collects=False)
    assert repairing.services.asked == []
    for seconds in (0, 600, 299, 1, 600):
        repairing.turn(seconds, given_up)
    assert repairing.services.asked == [f"collect {MONDAY}"] * 2


@pytest.mark.parametrize("event", [SYNCED, PREDICTED])
def test_handled_event_without_a_decision_is_asked_about(event: str) -> None:
    """Five minutes after it was handled; the refusal becomes the reason."""
    repairing = Repairing(Services(ConflictError("an old session")))
    facts = Facts(COLLECTED, handlings={event: HANDLED})
    assert repairing.turn(0, facts).refusal is None
    assert repairing.turn(299, facts).refusal is None
    assert repairing.services.asked == []
    assert repairing.turn(1, facts).refusal == "an old session"


def test_a_halted_session_is_not_asked_for_until_trading_is_resumed() -> None:
    """Its event was handled and refused: nothing is asked while trading is halted, and once it is resumed."""
    repairing = Repairing()
    halted = Facts(COLLECTED, handlings={SYNCED: HANDLED}, halt="trading is halted, by ada: data look wrong")
    for _ in range(3):
        repairing.turn(300, halted)
    assert repairing.services.asked == []
    for _ in range(2):
        repairing.turn(300, Facts(COLLECTED, handlings={SYNCED: HANDLED}))
    assert repairing.services.asked == [f"decide {MONDAY}"]


def test_predictions_that_are_being_made_are_waited_for() -> None:
    """The second event of a session begins to count when it is handled."""
    repairing = Repairing()
    repairing.turn(0, Facts(COLLECTED, handlings={SYNCED: HANDLED}))
    repairing.turn(299, Facts(COLLECTED, handlings={SYNCED: HANDLED, PREDICTED: PENDING}))
    repairing.turn(2, Facts(COLLECTED, handlings={SYNCED: HANDLED, PREDICTED: HANDLED}))
    assert repairing.services.asked == []


def test_decision_without_any_event_is_asked_for_when_overdue() -> None:
    """A datamanager that was restored does not publish its event again."""
    repairing = Repairing()
    repairing.turn(3600, Facts(COLLECTED))
    assert repairing.services.asked == []
    repairing.turn(1, Facts(COLLECTED))
    repairing.turn(1, Facts(COLLECTED, COLLECTED))
    assert repairing.services.asked == [f"decide {MONDAY}"]


def test_service_that_is_away_fails_nothing() -> None:
    """The turn ends with the error, and the next one asks again."""
    repairing = Repairing(Services(UnavailableError("portfoliomanager cannot be reached")))
    for _ in range(2):
        with pytest.raises(UnavailableError):
            repairing.turn(3601, Facts(COLLECTED))
    assert len(repairing.services.asked) == 2
