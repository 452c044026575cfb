"""The run of one seed with a scheduler that sleeps, is late and repeats itself, and with restored backups."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from random import Random
from typing import Self

from internal.dates import last_closed_session
from internal.errors import FundError
from internal.simulation.world import World
from internal.trading.order_planning import list_decisions
from internal.trading.orders import OrderRequest
from internal.trading.send_permission import TradingHaltedError
from internal.trading.state_changes import change_state
from internal.trading.strategy import Strategy
from internal.trading.trading_state import StateCause, TradingState
from internal.venue.clock import Auction
from internal.venue.repository import OrderQuery
from research.faults.backup import Backup
from research.faults.chaos import FaultKind, KilledError
from research.faults.owned_run import ObservedBroker
from research.faults.ports import RefusingBroker
from research.faults.run import FaultRun, Step

SLEEPING, LONGEST_SLEEP = 0.25, 3  # of the sessions that begin a sleep, and how many are slept through
LATE, REPEATED = 0.3, 0.3  # of the events that come after the next one, and of those that come twice
BACKED_UP, RESTORED = 0.4, 0.25  # of the sessions before which a backup is taken, and the last one is put back


class ScheduledRun(FaultRun):
    """A calm run whose sessions are announced as by a scheduler: each at least once, but for those it slept through.

    Of the sessions of a sleep the last alone is decided. A fund that was restored from a backup sends nothing until it
    is resumed, and nothing twice after that.
    """

    def __init__(self, world: World, seed: int, strategy: Strategy) -> None:
        super().__init__(world, seed, strategy)
        self._random, self._counted = Random(f"scheduler {seed}"), Counter[FaultKind]()  # noqa: S311 - a seed, no secret
        self._backup = Backup.take(self.fund)
        self.slept, self.awake = list[date](), list[date]()

    def play(self) -> Self:
        """All sessions of the world. Raises BrokenInvariantError."""
        self._repeat(Step.RECOVER)
        self._decide()
        self._backup = Backup.take(self.fund)  # one of an empty journal explains what is held, not each order
        left = self._count_sessions()
        while left:
            passed = min(self._draw_sleep() + 1, left)
            self._pass_sessions(passed)
            self.invariants.check_positions()
            left -= passed
        return self

    def check(self) -> None:
        """As any run; and each session that was announced is decided once, no other at all."""
        super().check()
        decided = [run.date for run in list_decisions(self.fund.journal.runs())]
        self.invariants.require(len(decided) == len(set(decided)), f"a session was decided twice: {decided}")
        due = {day for day in self.awake if self.strategy.is_due(day)}
        self.invariants.require(due <= set(decided), f"announced sessions were not decided: {due - set(decided)}")
        self._require_undecided(self.slept)

    def drawn(self) -> Counter[FaultKind]:
        """How often each kind of fault, and each fault of the scheduler, came up so far."""
        return super().drawn() + self._counted

    def _observe(self, broker: RefusingBroker) -> RefusingBroker:
        return ObservedBroker(broker.inner, broker.seed, check=self._check_send)

    def _check_send(self, request: OrderRequest) -> None:
        state = self.fund.journal.trading_state().state
        self.invariants.require(state is TradingState.ACTIVE, f"{request.client_order_id} is sent while {state}")

    def _pass_sessions(self, count: int) -> None:
        """So many sessions pass; the fund is awake in the last one."""
        self._maybe_restore()
        missed = [self._pass_asleep() for _ in range(count - 1)]
        self.fund.move(Auction.OPEN)
        is_late = self._happens(LATE, FaultKind.ANNOUNCED_LATE)
        if not is_late:
            self._announce(Step.RECONCILE)
        self.fund.move(Auction.CLOSE)
        if is_late and self._random.random() < 1 / 2:
            self._announce(Step.RECONCILE)
            self._decide()
        else:
            self._decide()
            self._announce(Step.RECONCILE)
        self._ask_for(missed)

    def _pass_asleep(self) -> date:
        for auction in (Auction.OPEN, Auction.CLOSE):
            self.fund.move(auction)
        self._counted[FaultKind.SLEPT] += 1
        self.slept.append(self._last_closed())
        return self.slept[-1]

    def _decide(self) -> None:
        self.awake.append(self._last_closed())
        self._announce(Step.RUN)

    def _announce(self, step: Step) -> None:
        """Once or twice."""
        self._repeat(step)
        if self._happens(REPEATED, FaultKind.ANNOUNCED_AGAIN):
            self._repeat(step)

    def _ask_for(self, missed: Sequence[date]) -> None:
        """The bars of a session that was slept through come, and its decision is asked for: it is refused."""
        for day in missed:
            with suppress(FundError, KilledError):
                self._process.run(day)
            self._start_again()
        self._require_undecided(missed)

    def _require_undecided(self, missed: Sequence[date]) -> None:
        decided = {run.date for run in list_decisions(self.fund.journal.runs())}
        late = sorted(decided & set(missed))
        self.invariants.require(not late, f"sessions of a sleep were decided afterwards: {late}")

    def _maybe_restore(self) -> None:
        """Take a backup, or put the last one back: nothing is sent until the owner resumes."""
        if self._random.random() < BACKED_UP:
            self._backup = Backup.take(self.fund)
        elif self._happens(RESTORED, FaultKind.RESTORED):
            sent = self._count_orders()
            self._backup.restore(self.fund)
            self._start_again()
            self._try_to_decide()
            self._repeat(Step.RECONCILE)
            self.invariants.require(self._count_orders() == sent, "orders were sent before a restored fund was resumed")
            moment = self.fund.core.state.moment
            change_state(self.fund.journal, TradingState.ACTIVE, "the owner", StateCause.OWNER, "reconciled", moment)
            self._repeat(Step.RECOVER)
            self._repeat(Step.RUN)  # decided before the backup, or known by its orders; without any it is decided again

    def _try_to_decide(self) -> None:
        with suppress(FundError, KilledError):
            self._process.run(None)
        self._start_again()

    def _happens(self, rate: float, kind: FaultKind) -> bool:
        happens = self._random.random() < rate
        self._counted[kind] += happens
        return happens

    def _draw_sleep(self) -> int:
        return self._random.randint(1, LONGEST_SLEEP) if self._random.random() < SLEEPING else 0

    def _last_closed(self) -> date:
        return last_closed_session(self.fund.core.state.moment)

    def _count_orders(self) -> int:
        return len(self.fund.repository.find_orders(OrderQuery()))

    def _is_stopped(self, error: BaseException) -> bool:
        return isinstance(error, TradingHaltedError)
