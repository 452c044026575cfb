"""Repairs of overdue runs: a session whose event led to nothing is collected, or decided, by a direct request.

An event may have been given up by its receiver, or handled by a service whose lake was then restored from a backup.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from internal.clock import elapsed_seconds
from internal.dates import last_closed_session
from internal.errors import FundError, UnavailableError
from internal.event_types import EventType
from internal.telemetry import get_logger
from internal.trading.send_permission import TradingHaltedError
from scheduler.facts import Facts, Handling
from scheduler.ports import FundServices, MarketTime
from scheduler.runs import RunKind, ScheduledRun
from scheduler.schedule import Schedule
from scheduler.settlement import find_decision_event, find_handling

AGAIN_SECONDS = 900.0  # between requests for a session that the vendor did not have
HANDLED_SECONDS = 300.0  # after which an event that was handled without a decision will not lead to one


class Repairs:
    """Asks for the last closed session alone; older ones are repaired by datamanager, and not decided any more."""

    def __init__(self, fund: FundServices, elapsed: Callable[[], float] = elapsed_seconds) -> None:
        self._fund, self._elapsed = fund, elapsed
        self._asked_at = -AGAIN_SECONDS
        self._handled_at: dict[date, float] = {}  # by session, when its event was first seen to be handled

    def repair(self, schedule: Schedule, facts: Facts, time: MarketTime, *, collects: bool) -> Facts:
        """Ask for what is overdue and not tried by its service any more; the facts, with a refusal to decide."""
        day = last_closed_session(time.moment)
        collection, decision = (schedule.find(kind, day) for kind in (RunKind.COLLECTION, RunKind.DECISION))
        if collection is not None and collection.session not in facts.collected:
            if collects and _is_stuck(collection, find_handling(facts, EventType.SESSION_CLOSED, day), time):
                self._collect_again(collection)
            return facts
        handling = find_decision_event(facts, day)
        if decision is None or not decision.is_running or day in facts.decided or facts.halt is not None:
            return facts
        is_stuck = self._was_handled(day, handling) or _is_stuck(decision, handling, time)
        return self._decide_again(decision, facts) if is_stuck else facts

    def _was_handled(self, day: date, handling: Handling | None) -> bool:
        """Whether the event of a session was handled some minutes ago; of forecasts a second event comes meanwhile."""
        if handling is None or not handling.is_handled:
            self._handled_at.pop(day, None)
            return False
        return self._elapsed() - self._handled_at.setdefault(day, self._elapsed()) >= HANDLED_SECONDS

    def _collect_again(self, run: ScheduledRun) -> None:
        if self._elapsed() - self._asked_at < AGAIN_SECONDS:
            return
        self._asked_at = self._elapsed()
        try:
            self._fund.collect(run.session)
        except FundError as error:
            get_logger(__name__).warning("session_not_collected", date=str(run.session), detail=error.detail)

    def _decide_again(self, run: ScheduledRun, facts: Facts) -> Facts:
        """Ask for the decision; why it is refused is the reason of the failed run, or of one that a halt holds."""
        try:
            self._fund.decide(run.session)
        except UnavailableError:
            raise  # it may pass: the next turn asks again
        except TradingHaltedError as error:  # since the facts were gathered
            return replace(facts, halt=error.detail)
        except FundError as error:
            get_logger(__name__).warning("session_not_decided", date=str(run.session), detail=error.detail)
            return replace(facts, refusal=error.detail)
        return facts


def _is_stuck(run: ScheduledRun, handling: Handling | None, time: MarketTime) -> bool:
    """Whether it is overdue and its service does not try its event by itself."""
    return run.is_overdue(time.moment) and not (handling is not None and handling.is_pending)
