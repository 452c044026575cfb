"""The last check of an order: no targets, prices, fills or refusals get an order past the limits."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from random import Random
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.dates import next_session
from internal.simulation.fund import SimulatedFund
from internal.simulation.world import World
from internal.trading.broker_reports import BrokerOrder
from internal.trading.enums import Leg, OrderState
from internal.trading.limit_kinds import LimitKind
from internal.trading.limits import RiskLimits
from internal.trading.order_guard import MARGIN, LimitError, OrderGuard
from internal.trading.orders import Order, OrderRequest
from internal.trading.ports import Broker, RefusedOrderError
from internal.trading.rebalancing import Rebalancer
from internal.trading.situation import Situation
from internal.trading.strategy import DataNeeds, StrategyRecord
from internal.trading.targets import Target, Targets
from internal.trading.universe import Universe
from internal.venue.clock import Auction

SESSIONS = 6


@pytest.fixture(scope="module")
def world() -> World:
    """Six sessions of 30 names with corporate actions and missing bars."""
    return World.make(7, sessions_played=SESSIONS, tickers=30, events="frequent")


@dataclass(frozen=True)
class Wild:
    """Wants any weights of any names, as a function of seed and day; now and then all of a name, or its opposite."""

    seed: int
    scale: float
    record: StrategyRecord = field(default_factory=lambda: StrategyRecord("wild", "{}", "0"))
    needs: DataNeeds = field(default_factory=lambda: DataNeeds(Universe(1.0, 1.0), 0, forecasts=False))

    def is_due(self, day: date) -> bool:
        """Every day."""
        del day
        return True

    def next_due(self, day: date) -> date:
        """The next session."""
        return next_session(day)

    def decide(self, situation: Situation) -> Targets:
        """Weights of about half the names, between minus and plus `scale`."""
        draw = Random(f"{self.seed}|{situation.day}")  # noqa: S311 - no secret
        names = [ticker for ticker in situation.tickers if draw.random() < 0.5]
        most = min(self.scale, 9.0 / max(len(names), 1))
        return Targets(tuple(Target(ticker, draw.uniform(-most, most), "wild") for ticker in names))


@dataclass
class RefusingBroker:
    """A venue that refuses a part of the orders, by a draw on their ids."""

    inner: Broker
    part: float
    seed: int

    def submit(self, request: OrderRequest) -> BrokerOrder:
        """The venue's answer, or a refusal."""
        if Random(f"{self.seed}|{request.client_order_id}").random() < self.part:  # noqa: S311 - no secret
            raise RefusedOrderError("drawn")
        return self.inner.submit(request)

    def __getattr__(self, name: str) -> object:
        """Everything else is the venue's."""
        return getattr(self.inner, name)


def check_orders(fund: SimulatedFund, limits: RiskLimits, before: dict[str, float], orders: Sequence[Order]) -> None:
    """What the broker took of a decision, against the limits, from the broker's own figures."""
    capital = fund.ports.broker.account().net_asset_value
    sent = [one for one in orders if one.broker_order_id and one.state is not OrderState.CANCELED]
    opened = [order for order in sent if order.leg.opens]
    assert sum(order.quantity * order.reference_price for order in opened) <= limits.turnover * capital * MARGIN
    assert len(opened) <= limits.orders_a_day
    for order in opened:
        after = abs(before.get(order.ticker, 0.0)) + order.quantity
        assert order.quantity * order.reference_price <= limits.order_size * capital * MARGIN
        assert after * order.reference_price <= limits.name_weight * capital * MARGIN
    for order in sent:
        if order.leg is Leg.CLOSE:
            added = sum(one.quantity for one in opened if one.ticker == order.ticker)
            assert order.quantity <= abs(before[order.ticker]) + added
            assert (order.side == "sell") is (before[order.ticker] > 0)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    scale=st.sampled_from([0.05, 0.3, 1.0]),
    refused=st.sampled_from([0.0, 0.2, 0.6]),
    limits=st.builds(
        RiskLimits,
        gross_exposure=st.sampled_from([0.5, 2.0]),
        net_exposure=st.sampled_from([0.1, 1.0]),
        name_weight=st.sampled_from([0.05, 0.25]),
        order_size=st.sampled_from([0.03, 0.25]),
        orders_a_day=st.sampled_from([3, 1000]),
        turnover=st.sampled_from([0.3, 2.0]),
    ),
)
def test_no_order_gets_past_the_limits(
    world: World, seed: int, scale: float, refused: float, limits: RiskLimits
) -> None:
    """Wild targets in a market with corporate actions, at a broker that refuses: what it took is within the limits."""
    fund = world.open_fund()
    broker = cast("Broker", RefusingBroker(fund.ports.broker, refused, seed))
    trader = Rebalancer(replace(fund.ports, broker=broker), Wild(seed, scale), limits)
    for _ in range(SESSIONS - 1):
        held = {position.ticker: position.quantity for position in fund.ports.broker.positions()}
        outcome = trader.run(None)
        check_orders(fund, limits, held, outcome.orders)
        for auction in (Auction.OPEN, Auction.CLOSE):
            fund.move(auction)
            trader.reconcile()


def test_an_order_that_no_limit_allows_is_not_sent(world: World) -> None:
    """Made in a journal by hand after the decision: each is dropped with its reason, counted, and not at the broker."""
    fund = world.open_fund()
    strategy, limits = Wild(1, 0.05), RiskLimits()
    trader = Rebalancer(fund.ports, strategy, limits)
    outcome = trader.run(None)
    assert outcome.portfolio is not None
    rows, first = outcome.portfolio.rows, next(order for order in outcome.orders if order.leg is Leg.OPEN)
    row = next(row for row in rows if row.ticker == first.ticker)
    guard = OrderGuard(limits, fund.ports.broker.account().net_asset_value, rows, outcome.orders)
    planned = replace(first, state=OrderState.PLANNED, broker_order_id=None)
    for order, limit in (
        (planned, LimitKind.DECIDED_SHARES),  # a second one beside the first
        (replace(planned, ticker="NONE"), LimitKind.DECIDED_SHARES),
        (replace(planned, leg=Leg.CLOSE, quantity=row.quantity + 1), LimitKind.DECIDED_SHARES),
    ):
        with pytest.raises(LimitError) as refused:
            guard.check(order)
        assert refused.value.limit is limit
    for changed, limit in (
        ({"orders_a_day": 0}, LimitKind.ORDERS_A_DAY),
        ({"order_size": 1e-4}, LimitKind.ORDER_SIZE),
        ({"name_weight": 1e-4}, LimitKind.NAME_WEIGHT),
        ({"turnover": 1e-4}, LimitKind.TURNOVER),
        ({"gross_exposure": 1e-4}, LimitKind.GROSS_EXPOSURE),
    ):
        with pytest.raises(LimitError) as refused:
            OrderGuard(replace(limits, **changed), 100_000.0, rows, []).check(planned)
        assert refused.value.limit is limit
    OrderGuard(limits, 100_000.0, rows, []).check(planned)


def test_a_close_that_was_refused_still_counts(world: World) -> None:
    """The broker refuses every close: openings stop where closes and openings together meet the gross exposure."""
    fund, limits = world.open_fund(), RiskLimits(gross_exposure=1.0, net_exposure=1.0)
    Rebalancer(fund.ports, Wild(2, 0.2), limits).run(None)
    for auction in (Auction.OPEN, Auction.CLOSE):
        fund.move(auction)
    broker = cast("Broker", NoCloses(fund.ports.broker))
    trader = Rebalancer(replace(fund.ports, broker=broker), Wild(5, 0.2), limits)
    outcome = trader.run(None)
    assert outcome.portfolio is not None
    held = sum(row.held * row.reference_price for row in outcome.portfolio.rows)
    opened = sum(one.quantity * one.reference_price for one in outcome.orders if one.leg.opens and one.broker_order_id)
    assert held > 0
    assert held + opened <= fund.ports.broker.account().net_asset_value * MARGIN


@dataclass
class NoCloses:
    """A venue that refuses what closes."""

    inner: Broker

    def submit(self, request: OrderRequest) -> BrokerOrder:
        """A refusal of a close, which its id names."""
        if f"-{Leg.CLOSE}-" in request.client_order_id:
            raise RefusedOrderError("no closes today")
        return self.inner.submit(request)

    def __getattr__(self, name: str) -> object:
        """Everything else is the venue's."""
        return getattr(self.inner, name)
