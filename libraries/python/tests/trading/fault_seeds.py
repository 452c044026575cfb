"""Seeded fault runs of the state machine: what goes wrong at each port call is drawn from one seed.

Kills before or after any call, lost answers, rate limits, a broker or a data service that is down, and a second process
that takes the lease and goes on while the first one waits for an answer must change nothing: orders and values are
those of the undisturbed run. With refusals, partial fills and suspensions as well, invariants must hold.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from math import isclose
from random import Random
from typing import cast

from loaded_strategies import ten_by_ten

from internal.errors import FundError, UnavailableError, UnresolvedOrderError, UpstreamError
from internal.lake.lease import StandbyError
from internal.simulation.fund import FreeLease
from internal.trading.enums import Leg, OrderState, RunState, Side
from internal.trading.limits import RiskLimits
from internal.trading.ports import (
    Broker,
    Journal,
    Lease,
    MarketData,
    Portfolios,
    RateLimitedError,
    RefusedOrderError,
    TradingPorts,
)
from internal.trading.position_attribution import attribute_positions
from internal.trading.rebalancing import Rebalancer
from internal.trading.rows import OrderRequest
from internal.trading.strategy import Strategy
from internal.venue.clock import Auction
from internal.venue.market_faults import MarketFault, MarketFaultKind
from internal.venue.repository import OrderQuery
from libraries.python.tests.trading.venue_fund import World

READ: Sequence[str] = ("kill before", "kill after", "down", "garbled")
WRITE: Sequence[str] = ("kill before", "kill after")
SEND: Sequence[str] = ("kill before", "kill after", "lost before", "lost after", "limited", "taken over after")
ASK: Sequence[str] = (*READ, "taken over before", "taken over after")
BROKER: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(("moment", "account", "positions", "assets", "open_orders", "orders_since", "order", "costs"), ASK),
    "submit": SEND,
    "cancel": READ,
}
DATA: Mapping[str, Sequence[str]] = dict.fromkeys(("day_inputs", "splits", "price_factors"), ASK)
JOURNAL: Mapping[str, Sequence[str]] = dict.fromkeys(("refresh", "save_runs", "save_orders", "save_snapshot"), WRITE)
PORTFOLIOS: Mapping[str, Sequence[str]] = dict.fromkeys(("save", "find", "bands_before"), WRITE)
RAISED: dict[str, Callable[[str], FundError]] = {
    "limited": lambda kind: RateLimitedError(kind, 0.0),
    "down": UnavailableError,
    "garbled": UpstreamError,
    "lost before": UnresolvedOrderError,
}
SEND_WEIGHT = 4  # sends fail as much more often than reads, of which there are many
STARTS = 60  # more starts of the process than any seed can need
STRATEGY = ten_by_ten(names_per_side=3, same_day_lock=False)


class KilledError(BaseException):
    """The process is gone."""


class Chaos:
    """Draws what goes wrong at each port call from one seed; `left` bounds how much, so that every run ends."""

    def __init__(self, seed: int, *, quiet: bool = False) -> None:
        self.random, self.dead = Random(seed), False  # noqa: S311 - a seed, no secret
        self.take_over: Callable[[], None] = lambda: None
        self.left = 0 if quiet else self.random.randint(1, 8)
        self.rate = self.random.choice((0.02, 0.05, 0.15))

    def call[Answer](self, kinds: Sequence[str], work: Callable[[], Answer]) -> Answer:
        """The work, or what went wrong before or after it. Nothing has an effect after the process is gone."""
        if self.dead:
            raise KilledError
        kind = ""
        rate = self.rate * (SEND_WEIGHT if kinds is SEND else 1)
        if self.left and self.random.random() < rate:
            self.left, kind = self.left - 1, self.random.choice(kinds)
        if kind == "kill before":
            self.die()
        if kind == "taken over before":
            self._lose_lease()
        if kind in RAISED:
            raise RAISED[kind](kind)
        answer = work()
        if kind == "kill after":
            self.die()
        if kind == "taken over after":
            self._lose_lease()
        if kind == "lost after":
            raise UnresolvedOrderError(kind)
        return answer

    def _lose_lease(self) -> None:
        """Another process takes the lease and acts, undisturbed, while this one waits for its answer."""
        left, self.left = self.left, 0
        self.take_over()
        self.left = left

    def die(self) -> None:
        """End the process."""
        self.dead = True
        raise KilledError


class Faulty:
    """A port whose named methods go through the chaos."""

    def __init__(self, inner: object, chaos: Chaos, kinds: Mapping[str, Sequence[str]]) -> None:
        self._inner, self._chaos, self._kinds = inner, chaos, kinds

    def __getattr__(self, name: str) -> Callable[..., object]:
        method = cast("Callable[..., object]", getattr(self._inner, name))
        kinds = self._kinds.get(name)
        if kinds is None:
            return method
        return lambda *given: self._chaos.call(kinds, lambda: method(*given))


@dataclass
class Refusals:
    """A broker that refuses a part of the orders, always the same ones, of the kinds that a seed draws."""

    inner: Broker
    seed: int
    longs: float = 0.0
    closes: float = 0.0
    refused: set[str] = field(default_factory=set[str])

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def submit(self, request: OrderRequest) -> object:
        """Refuse or pass on."""
        opening = "-open-" in request.client_order_id
        part = self.closes if not opening else self.longs if request.side == "buy" else 0.0
        draw = Random(f"{self.seed}|{request.client_order_id}")  # noqa: S311 - a seed, no secret
        if draw.random() < part:
            self.refused.add(request.client_order_id)
            raise RefusedOrderError("drawn by a seed")
        return self.inner.submit(request)


class SharedLease:
    """The lease of several processes: the last one that took it holds it."""

    def __init__(self) -> None:
        self.taken = 0

    def take(self) -> Lease:
        """A holding for a process, whose number grows."""
        self.taken += 1
        return Holding(self, self.taken)


@dataclass(frozen=True)
class Holding:
    """What one process holds of a lease."""

    lease: SharedLease
    number: int

    def require(self) -> int:
        """The number. Raises StandbyError once another process took the lease."""
        if self.lease.taken != self.number:
            raise StandbyError("another process holds the lease")
        return self.number


class FaultRun:
    """One seed: a fund whose process dies and starts again until each step is done."""

    def __init__(
        self, world: World, seed: int, strategy: Strategy = STRATEGY, *, quiet: bool = False, stormy: bool = False
    ) -> None:
        self.world, self.seed, self.strategy, self.chaos = world, seed, strategy, Chaos(seed, quiet=quiet)
        self.fund = world.open_fund()
        self.starts, self.values, self.rewrites_reasons = 0, list[float](), False
        self.refusals = self._draw_refusals(seed) if stormy else Refusals(self.fund.ports.broker, seed)
        self.suspends = stormy and self.chaos.random.random() < 0.3
        self.ports = TradingPorts(
            broker=cast("Broker", Faulty(self.refusals, self.chaos, BROKER)),
            data=cast("MarketData", Faulty(self.fund.ports.data, self.chaos, DATA)),
            portfolios=cast("Portfolios", Faulty(self.fund.portfolios, self.chaos, PORTFOLIOS)),
            journal=cast("Journal", Faulty(self.fund.journal, self.chaos, JOURNAL)),
            lease=FreeLease(),
            pause=lambda _: None,
        )
        self.lease, self.work = SharedLease(), "recover"
        self.chaos.take_over = self._take_over
        self.rebalancer = self._start_process()

    def _start_process(self) -> Rebalancer:
        """A process that takes the lease."""
        return Rebalancer(replace(self.ports, lease=self.lease.take()), self.strategy, RiskLimits())

    def _take_over(self) -> None:
        """A second process starts and does what the first one is at."""
        second = self._start_process()
        with suppress(FundError):
            second.recover()
            self._do(second)

    def _do(self, process: Rebalancer) -> None:
        """The step of the day that is to be done."""
        if self.work == "run":
            process.run(None)
        elif self.work == "recover":
            process.recover()
        else:
            process.reconcile()

    def _draw_refusals(self, seed: int) -> Refusals:
        draw = self.chaos.random
        if draw.random() < 0.5:
            count = draw.randint(1, 5)
            self.fund.repository.add_market_fault(MarketFault(1, MarketFaultKind.REFUSED_SHORT, "*", count))
        if draw.random() < 0.3:
            share = Decimal(str(round(draw.random() * 0.9, 2)))
            self.fund.repository.add_market_fault(MarketFault(2, MarketFaultKind.PARTIAL_FILL, "*", 3, share))
        longs, closes = (draw.choice((0.0, 0.0, 0.2, 0.5)) for _ in range(2))
        return Refusals(self.fund.ports.broker, seed, longs, closes)

    def play(self) -> "FaultRun":
        """All sessions of the world."""
        self._until_done("recover")
        self._until_done("run")
        for _ in range(len(self.world.days) - 2 - self._opening()):
            self.fund.move(Auction.OPEN)
            self._until_done("reconcile")
            self.fund.move(Auction.CLOSE)
            self._until_done("run")
            self.values.append(self.fund.ports.broker.account().net_asset_value)
            self._check_positions()
        return self

    def _opening(self) -> int:
        return list(self.world.days).index(self.world.market.opening_session())

    def _check_positions(self) -> None:
        """All positions are the fund's, at the average entry price that the broker has."""
        at_broker = {position.ticker: position for position in self.fund.ports.broker.positions()}
        fills = {ticker: self.fund.journal.fills(ticker) for ticker in at_broker}
        splits = self.fund.ports.data.splits(self.world.days[0], self.fund.core.state.moment.date())
        held = {ticker: position.quantity for ticker, position in at_broker.items()}
        own = attribute_positions(held, fills, splits, {}, {})
        assert {one.ticker: one.quantity for one in own.positions} == held, "a position that is not ours"
        for one in own.positions:
            average = at_broker[one.ticker].average_entry_price
            assert isclose(one.entry_price, average, rel_tol=1e-6), f"{one.ticker}: {one.entry_price} is {average}"

    def _until_done(self, work: str) -> None:
        self.work = work
        for _ in range(STARTS):
            self._maybe_suspend()
            try:
                self._do(self.rebalancer)
            except (KilledError, FundError):
                self._start_again()
            else:
                return
        raise AssertionError(f"{work} is never done")

    def _maybe_suspend(self) -> None:
        """Switch trading off now and then, and on again for the next attempt."""
        off = self.suspends and self.chaos.random.random() < 0.2
        if off != self.fund.core.state.settings.suspend_trade:
            self.fund.core.change_settings({"suspend_trade": off})

    def _start_again(self) -> None:
        self.chaos.dead, self.rebalancer, self.starts = False, self._start_process(), self.starts + 1
        if self.rewrites_reasons:
            self._rewrite_reasons()
        try:
            self.rebalancer.recover()
        except (KilledError, FundError):
            self.chaos.dead = False

    def _rewrite_reasons(self) -> None:
        """Somebody edits every text for people in the journal and in the portfolios."""
        journal, portfolios = self.fund.journal, self.fund.portfolios
        journal.add_orders([replace(order, reason="edited") for order in journal.orders()])
        for run in journal.runs():
            if (portfolio := portfolios.find(run.portfolio_id)) is not None:
                rows = tuple(replace(row, reason="edited") for row in portfolio.rows)
                portfolios.save(replace(portfolio, rows=rows))

    def outcome(self) -> tuple[list[float], list[tuple[object, ...]]]:
        """What an undisturbed run must give too: values, and every order but for the moment it entered."""
        orders = self.fund.repository.find_orders(OrderQuery())
        return self.values, sorted(
            (one.client_order_id, one.quantity, one.status, one.filled_quantity, one.filled_average_price)
            for one in orders
        )

    def check(self) -> None:
        """What holds after any faults, once the last orders have met a session. Raises AssertionError."""
        self.chaos.left, self.rebalancer = 0, self._start_process()
        for auction in (Auction.OPEN, Auction.CLOSE):
            self.fund.move(auction)
            self.rebalancer.reconcile()
        sent = {order.client_order_id: order for order in self.fund.repository.find_orders(OrderQuery())}
        journal = {order.client_order_id: order for order in self.fund.journal.orders()}
        assert set(sent) <= set(journal), "an order that was not journalled before it was sent"
        for identity, order in journal.items():
            assert order.state.is_final, "an order without an end"
            assert (identity in sent) != (order.state in {OrderState.DROPPED, OrderState.REJECTED}), (
                "an order that was lost"
            )
        for run in self.fund.journal.runs():
            self._check_run(run.portfolio_id, run.state)
        assert not self.rebalancer.reconcile().foreign, "something that the journal does not explain"

    def _check_run(self, portfolio_id: str, state: RunState) -> None:
        """No name is traded beyond its decision."""
        orders, portfolio = self.fund.journal.of(portfolio_id), self.fund.portfolios.find(portfolio_id)
        rows = {} if portfolio is None else {row.ticker: row for row in portfolio.rows}
        assert {order.ticker for order in orders} <= set(rows), "an order that no portfolio explains"
        decided: dict[tuple[str, Leg], float] = {}
        filled: dict[tuple[str, Leg], float] = {}
        for order in orders:
            key, row = (order.ticker, order.leg), rows[order.ticker]
            held = 0.0 if order.leg.opens else row.held * row.reference_price / order.reference_price  # after a split
            decided[key] = max(decided.get(key, 0.0), order.quantity, held)
            filled[key] = filled.get(key, 0.0) + order.filled_quantity
        for key, shares in filled.items():
            assert shares <= decided[key] + 1e-9, f"{key} was traded twice"
        assert state is not RunState.PLANNED, "a run that was never ended"


def side_dollars(run: FaultRun, portfolio_id: str) -> dict[Side, float]:
    """Dollars of a run's portfolio by side, at the closes that it was decided at."""
    portfolio = run.fund.portfolios.find(portfolio_id)
    dollars = dict.fromkeys(Side, 0.0)
    for row in portfolio.rows if portfolio else ():
        dollars[row.side] += row.dollar_amount
    return dollars
