"""The run of one seed: a fund whose process dies and starts again until each step of each session is done."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from enum import StrEnum
from typing import Self

from internal.errors import FundError
from internal.simulation.world import World
from internal.trading.enums import OrderState
from internal.trading.limits import RiskLimits
from internal.trading.rebalancing import Rebalancer
from internal.trading.strategy import Strategy
from internal.venue.clock import Auction
from internal.venue.market_faults import MarketFault, MarketFaultKind
from internal.venue.repository import OrderQuery
from research.faults.chaos import Chaos, FaultKind, KilledError
from research.faults.invariants import BrokenInvariantError, Invariants
from research.faults.lease import SharedLease
from research.faults.ports import RefusingBroker, add_faults

STARTS = 60  # more starts of the process than any seed can need
SUSPENDING_SEEDS, SUSPENDED = 0.3, 0.2  # seeds that suspend trading, and how often one does so before an attempt
SHORTS_REFUSED, FILLS_CUT, MOST_CUT = 0.5, 0.3, 0.9  # seeds with either, and the largest part that is cut
CUT_FILLS = 3  # of a seed that cuts fills
REFUSED_PARTS = 0.0, 0.0, 0.2, 0.5  # of opening purchases, and of closes

type Outcome = tuple[Sequence[float], Sequence[tuple[object, ...]]]


class Step(StrEnum):
    """What a process does; each may be repeated."""

    RECOVER = "recovery"
    RUN = "rebalance"
    RECONCILE = "reconciliation"
    FLATTEN = "closing of everything"

    def do(self, process: Rebalancer) -> None:
        """Do it. Raises FundError."""
        if self is Step.RUN:
            process.run(None)
        elif self is Step.RECOVER:
            process.recover()
        elif self is Step.FLATTEN:
            process.flatten()
        else:
            process.reconcile()


class FaultRun:
    """One seed. Calm: faults of the calls and kills alone, which must change nothing; stormy: refusals as well.

    Stormy runs also draw refused shorts, partial fills and suspensions of trading. A quiet run has no faults, and an
    error of the strategy is raised as it is. The check plays `checked_sessions` without faults.
    """

    checked_sessions = 1

    def __init__(
        self, world: World, seed: int, strategy: Strategy, *, quiet: bool = False, stormy: bool = False
    ) -> None:
        self.world, self.seed, self.strategy, self.quiet = world, seed, strategy, quiet
        self.chaos, self.fund = Chaos(seed, quiet=quiet), world.open_fund()
        self.starts, self._cut, self.values = 0, 0, list[float]()
        self.invariants = Invariants(seed, self.fund, world.days[0])
        broker = self._draw_refusals() if stormy else RefusingBroker(self.fund.ports.broker, seed)
        self._suspends = stormy and self.chaos.random.random() < SUSPENDING_SEEDS
        self._ports, self._lease = add_faults(self.fund, self._observe(broker), self.chaos), SharedLease()
        self._step = Step.RECOVER
        self.chaos.take_over = self._take_over
        self._process = self._start_process()

    def play(self) -> Self:
        """All sessions of the world. Raises BrokenInvariantError."""
        self._repeat(Step.RECOVER)
        self._repeat(Step.RUN)
        for _ in range(self._count_sessions()):
            self._play_session()
            self.values.append(self.fund.ports.broker.account().net_asset_value)
            self.invariants.check_positions()
        return self

    def outcome(self) -> Outcome:
        """What a calm run must share with a quiet one: values, and every order but for the moment it entered."""
        orders = self.fund.repository.find_orders(OrderQuery())
        return self.values, sorted(
            (one.client_order_id, one.quantity, one.status, one.filled_quantity, one.filled_average_price)
            for one in orders
        )

    def check(self) -> None:
        """Play one session more without faults, and check what must hold after any. Raises BrokenInvariantError."""
        self.chaos.left, self._process = 0, self._start_process()
        for auction in (Auction.OPEN, Auction.CLOSE):
            self.fund.move(auction)
            self._process.reconcile()
        self.invariants.check_orders()
        self.invariants.check_runs()
        foreign = self._process.reconcile().foreign
        self.invariants.require(not foreign, f"the journal does not explain {foreign}")

    def drawn(self) -> Counter[FaultKind]:
        """How often each kind of fault came up so far."""
        refused = sum(order.state is OrderState.REJECTED for order in self.fund.journal.orders())
        uncut = sum(one.remaining for one in self.fund.repository.market_faults() if one.share is not None)
        return self.chaos.drawn + Counter({FaultKind.REFUSED: refused, FaultKind.CUT: self._cut - uncut})

    def _start_process(self) -> Rebalancer:
        """A process that takes the lease."""
        return Rebalancer(replace(self._ports, lease=self._lease.take()), self.strategy, RiskLimits())

    def _take_over(self) -> None:
        """A second process starts and does the step that the first one is at."""
        second = self._start_process()
        with suppress(FundError):
            second.recover()
            self._step.do(second)

    def _draw_refusals(self) -> RefusingBroker:
        draw, repository = self.chaos.random, self.fund.repository
        if draw.random() < SHORTS_REFUSED:
            repository.add_market_fault(MarketFault(1, MarketFaultKind.REFUSED_SHORT, "*", draw.randint(1, 5)))
        if draw.random() < FILLS_CUT:
            share = Decimal(str(round(draw.random() * MOST_CUT, 2)))
            repository.add_market_fault(MarketFault(2, MarketFaultKind.PARTIAL_FILL, "*", CUT_FILLS, share))
            self._cut = CUT_FILLS
        longs, closes = (draw.choice(REFUSED_PARTS) for _ in range(2))
        return RefusingBroker(self.fund.ports.broker, self.seed, longs, closes)

    def _play_session(self) -> None:
        self.fund.move(Auction.OPEN)
        self._repeat(Step.RECONCILE)
        self.fund.move(Auction.CLOSE)
        self._repeat(Step.RUN)

    def _observe(self, broker: RefusingBroker) -> RefusingBroker:
        """The broker, for a run that looks at what is sent."""
        return broker

    def _is_stopped(self, error: BaseException) -> bool:
        """Whether the step is done although it failed, because somebody wants nothing to be sent."""
        del error
        return False

    def _count_sessions(self) -> int:
        """Sessions of the world that are played before the check."""
        opening = list(self.world.days).index(self.world.market.opening_session())
        return len(self.world.days) - 1 - opening - self.checked_sessions

    def _repeat(self, step: Step) -> None:
        """Do the step until an attempt comes to its end."""
        self._step, last = step, ""
        for _ in range(STARTS):
            self._maybe_suspend()
            try:
                step.do(self._process)
            except (KilledError, FundError) as error:
                if self.quiet:
                    raise
                if self._is_stopped(error):
                    return
                last = str(error)
                self._start_again()
            else:
                return
        raise BrokenInvariantError(self.seed, f"after {STARTS} starts the {step} is not done: {last}")

    def _maybe_suspend(self) -> None:
        """Switch trading off now and then, and on again for the next attempt."""
        off = self._suspends and self.chaos.random.random() < SUSPENDED
        if off != self.fund.core.state.settings.suspend_trade:
            self.fund.core.change_settings({"suspend_trade": off})
            self.chaos.drawn[FaultKind.SUSPENDED] += off

    def _start_again(self) -> None:
        self.chaos.dead, self._process, self.starts = False, self._start_process(), self.starts + 1
        try:
            self._process.recover()
        except (KilledError, FundError):
            self.chaos.dead = False
