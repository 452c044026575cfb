"""The scheduler's loop: each turn asks the market's clock, starts what is due, and follows what was started.

A turn repeats nothing that an earlier one did: the stored schedule says what was started, and events are published
under their own ids. The pauses are short, so that a machine that slept goes on within seconds.
"""

import asyncio
from datetime import date
from typing import NoReturn

from polars.exceptions import PanicException

from internal.clock import elapsed_seconds
from internal.cloud_events import EventBus
from internal.errors import FundError, UnavailableError
from internal.lake.lease import Lease, StandbyError
from internal.telemetry import get_logger
from scheduler import metrics
from scheduler.announcements import Announcements
from scheduler.events import list_events
from scheduler.facts import Facts
from scheduler.market_clock import ClockWatch
from scheduler.planning import plan_due_runs
from scheduler.ports import FundServices, MarketTime, ScheduleStore
from scheduler.repairs import Repairs
from scheduler.retraining import Retraining
from scheduler.runs import RunKind
from scheduler.schedule import Schedule
from scheduler.settlement import is_followed, settle_runs
from scheduler.timetable import Timetable

STALE_SECONDS = 180.0  # a turn that takes longer is said to hang
NOT_YET = "the market's clock was not read yet"
logger = get_logger(__name__)


class SchedulerLoop:
    """Turns until it is cancelled; `problem` says why the last turn came to nothing.

    Args:
        timetable: When runs are due.
        fund: datamanager and portfoliomanager.
        store: The schedule.
        lease: Of two schedulers one acts.
        bus: Publishes events durably.
        retraining: The process that trains.
        waits_for_import: Whether a close is published only when its bars were imported.
        turn_seconds: The pause between two turns.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - one component an argument
        self,
        timetable: Timetable,
        fund: FundServices,
        store: ScheduleStore,
        lease: Lease,
        bus: EventBus,
        retraining: Retraining,
        *,
        waits_for_import: bool,
        turn_seconds: float,
    ) -> None:
        self._timetable, self._fund, self._store = timetable, fund, store
        self._lease, self._bus, self._retraining = lease, bus, retraining
        self._waits_for_import, self._turn_seconds = waits_for_import, turn_seconds
        self._clock_watch, self._repairs, self._announcements = ClockWatch(), Repairs(fund), Announcements(fund)
        self._turned_at = elapsed_seconds()
        self.time: MarketTime | None = None
        self.schedule = Schedule()
        self.problem = NOT_YET

    async def run(self) -> NoReturn:
        """Turn again and again; what fails is tried again at the next turn."""
        while True:
            await self.try_turn()
            await asyncio.sleep(self._turn_seconds)

    async def try_turn(self) -> None:
        """One turn; an error becomes the problem that `/ready` names."""
        try:
            time = await self.turn()
        except FundError as error:
            self._complain(error.detail)
        except (Exception, PanicException) as error:
            logger.exception("scheduler_turn_crashed")
            self.problem = f"a turn of the scheduler crashed ({type(error).__name__}); see its log"
        else:
            self.problem, self.time = "", time
        self._turned_at = elapsed_seconds()

    def _complain(self, problem: str) -> None:
        if problem != self.problem:
            logger.warning("scheduler_waits", detail=problem)
        self.problem = problem

    def check(self) -> None:
        """Raise UnavailableError, with the problem, unless the last turn succeeded a short while ago."""
        if self.problem:
            raise UnavailableError(self.problem)
        if elapsed_seconds() - self._turned_at > STALE_SECONDS:
            raise UnavailableError(f"the scheduler has not looked at its schedule for {STALE_SECONDS:g} seconds")

    async def turn(self) -> MarketTime:
        """Start what is due and follow what was started; the moment. StandbyError while another scheduler acts."""
        try:
            self._lease.require()
        except StandbyError:
            await asyncio.to_thread(self._retraining.stop)
            raise
        planned, time = await asyncio.to_thread(self.plan)
        for event in list_events(planned, waits_for_import=self._waits_for_import):
            await self._bus.publish(event)
        self.schedule = await asyncio.to_thread(self._follow, planned, time)
        metrics.show_schedule(self.schedule, time.moment)
        return time

    def plan(self) -> tuple[Schedule, MarketTime]:
        """The first half of a turn: the schedule with what has become due, stored, and the moment."""
        time, stored = self._clock_watch.require_steady(self._fund.read_clock()), self._store.load()
        planned = plan_due_runs(stored, self._timetable, time.moment)
        self._save(stored, planned)
        return planned, time

    def _follow(self, planned: Schedule, time: MarketTime) -> Schedule:
        settled = settle_runs(planned, self._gather_facts(planned, time), time.moment)
        settled = self._follow_retraining(settled, time)
        self._save(planned, settled)
        self._announcements.announce(settled, time.moment)
        return settled

    def _save(self, before: Schedule, after: Schedule) -> None:
        """Store a change, while this process is still the one that acts."""
        if after != before:
            self._lease.require()
            self._store.save(after)

    def _gather_facts(self, schedule: Schedule, time: MarketTime) -> Facts:
        """Ask only about what the schedule follows."""
        followed = [run for run in schedule.runs if is_followed(schedule, run)]
        is_any_running = any(run.is_running for run in followed)
        decisions = [run.session for run in followed if run.kind is RunKind.DECISION]
        facts = Facts(
            self._fund.list_collected() if is_any_running else frozenset[date](),
            self._fund.list_decided(min(decisions)) if decisions else frozenset[date](),
            self._fund.list_handlings() if is_any_running else {},
            self._fund.read_halt() if decisions else None,
        )
        return self._repairs.repair(schedule, facts, time, collects=not self._waits_for_import)

    def _follow_retraining(self, schedule: Schedule, time: MarketTime) -> Schedule:
        run = next((run for run in schedule.running() if run.kind is RunKind.RETRAINING), None)
        if run is None:
            return schedule
        code = self._retraining.follow(run.session)
        if code is None:
            return schedule
        reason = f"it ended with exit status {code}: see {self._retraining.log}; it is tried again at the next session"
        return schedule.put([run.succeed(time.moment) if code == 0 else run.fail(time.moment, reason)])
