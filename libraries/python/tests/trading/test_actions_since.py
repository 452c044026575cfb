"""Splits between the close of a decision and its orders: no price of old shares meets a count of new ones."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from internal.dates import next_session, previous_session
from internal.simulation.fund import SimulatedFund
from internal.simulation.venue_broker import VenueBroker
from internal.simulation.world import OPENING, World
from internal.trading.actions_since import fetch_ratios_since
from internal.trading.corporate_actions import list_splits
from internal.trading.enums import Action, OrderState, RunState
from internal.trading.limits import RiskLimits
from internal.trading.rebalancing import Rebalancer
from internal.trading.situation import Situation
from internal.trading.splits import Split
from internal.trading.strategy import DataNeeds, StrategyRecord
from internal.trading.targets import Target, Targets
from internal.trading.universe import Universe
from internal.venue.clock import Auction

if TYPE_CHECKING:
    from internal.trading.positions import Position

LIMITS = RiskLimits()
WEIGHT = 0.05
NOTE = "not traded, corporate action since the close of the decision: "


@dataclass(frozen=True)
class Fixed:
    """The same weights on every day, and what it was shown last."""

    weights: Mapping[str, float]
    seen: list[Situation] = field(default_factory=list[Situation])
    record: StrategyRecord = field(default_factory=lambda: StrategyRecord("fixed", "{}", "0"))
    needs: DataNeeds = field(default_factory=lambda: DataNeeds(Universe(), 0, forecasts=False))

    def is_due(self, day: date) -> bool:
        """Every day."""
        del day
        return True

    def next_due(self, day: date) -> date:
        """The next session."""
        return next_session(day)

    def decide(self, situation: Situation) -> Targets:
        """The weights."""
        self.seen.append(situation)
        return Targets(tuple(Target(ticker, weight, "wanted") for ticker, weight in self.weights.items()))


@pytest.fixture(scope="module")
def world() -> World:
    """Sessions of 30 names with splits, halts and missing bars."""
    return World.make(5, sessions_played=8, tickers=30, events="splits")


def trades(world: World, ticker: str, first: date, split: Split) -> bool:
    """Whether the name trades and has bars up to the split of a name, and does not split itself before."""
    column, last = world.tables.tickers.index(ticker), split.execution_date
    places = [place for place, day in enumerate(world.days) if first <= day <= last]
    known = np.isfinite(world.tables.close[places, column]).all()
    others = [
        one for one in list_splits(world.data.corporate_actions(first, last)) if one.ticker == ticker and one != split
    ]
    return bool(known) and not others and all(world.market.bar(ticker, world.days[place]) for place in places)


def find_split(world: World, *, reverse: bool) -> Split:
    """A split from the third session on of a name that trades in the two sessions before it and on its day."""
    later = list_splits(world.data.corporate_actions(next_session(OPENING, 2), world.days[-2]))
    found = [one for one in later if (one.shares < 1) is reverse]
    return next(one for one in found if trades(world, one.ticker, previous_session(one.execution_date, 2), one))


def find_other(world: World, split: Split) -> str:
    """Another name that trades then and does not split."""
    first = previous_session(split.execution_date, 2)
    return next(name for name in world.tables.tickers if name != split.ticker and trades(world, name, first, split))


def play_to_close(fund: SimulatedFund, day: date) -> None:
    """Play to the close of the day without a decision."""
    while fund.core.state.moment.date() < day:
        fund.move(Auction.OPEN)
        fund.move(Auction.CLOSE)


def held(fund: SimulatedFund, ticker: str) -> float:
    """Shares at the broker."""
    return {one.ticker: one.quantity for one in fund.ports.broker.positions()}.get(ticker, 0.0)


def value_of(situation: Situation, ticker: str) -> float:
    """Dollars of a position at the prices of the decision."""
    position: Position = situation.holdings[ticker]
    return position.quantity * situation.price_of(position)


@pytest.mark.parametrize("reverse", [True, False])
def test_a_late_decision_leaves_split_names_alone(world: World, reverse: bool) -> None:  # noqa: FBT001 - a case
    """The services were down until the open of the split day: the name is kept, at its old value, and not traded."""
    split, fund = find_split(world, reverse=reverse), world.open_fund()
    eve, strategy = previous_session(split.execution_date), Fixed({split.ticker: WEIGHT})
    play_to_close(fund, previous_session(eve))
    Rebalancer(fund.ports, strategy, LIMITS).run(None)
    play_to_close(fund, eve)
    before = held(fund, split.ticker)
    fund.move(Auction.OPEN)
    after = held(fund, split.ticker)
    assert after == pytest.approx(before * split.shares, abs=1)
    outcome = Rebalancer(fund.ports, strategy, LIMITS).run(None)
    assert (outcome.run.date, list(outcome.orders)) == (eve, [])
    assert any(note.startswith(NOTE) and split.ticker in note for note in outcome.run.notes)
    assert value_of(strategy.seen[-1], split.ticker) == pytest.approx(WEIGHT * 100_000, rel=0.2)
    assert held(fund, split.ticker) == after


def test_a_split_of_tomorrow_in_new_york_has_not_happened(world: World) -> None:
    """At 03:00 UTC of the split's day it is still its eve at the exchange: the broker counts old shares."""
    split = find_split(world, reverse=False)
    eve, midnight = previous_session(split.execution_date), datetime.combine(split.execution_date, time(), UTC)
    assert split.ticker not in fetch_ratios_since(world.data, eve, midnight + timedelta(hours=3))
    assert fetch_ratios_since(world.data, eve, midnight + timedelta(hours=13))[split.ticker] == split.shares


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("reverse", [True, False])
def test_unsent_orders_of_split_names_are_dropped(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    reverse: bool,  # noqa: FBT001 - a case
    waits: bool,  # noqa: FBT001 - a case
) -> None:
    """Decided on the eve and not sent, or held back for money: after the open the other names' orders alone are."""
    split, fund = find_split(world, reverse=reverse), world.open_fund()
    other, eve = find_other(world, split), previous_session(split.execution_date)
    strategy = Fixed({split.ticker: WEIGHT, other: WEIGHT})
    play_to_close(fund, eve)
    plan_only(fund, strategy, monkeypatch)
    if waits:
        fund.journal.add_runs([replace(run, state=RunState.WAITING) for run in fund.journal.open_runs()])
    fund.move(Auction.OPEN)
    again = Rebalancer(fund.ports, strategy, LIMITS)
    if waits:
        again.reconcile()
    else:
        again.recover()
    orders = {order.ticker: order for order in fund.journal.orders()}
    assert (orders[split.ticker].state, orders[split.ticker].reason) == (
        OrderState.DROPPED,
        "corporate action since it was decided",
    )
    assert orders[other].state is not OrderState.DROPPED
    sent = fund.ports.broker.orders_since(datetime.fromisoformat("2000-01-01T00:00:00Z"))
    assert {order.ticker for order in sent} == {other}
    run = fund.journal.last_run()
    assert run is not None
    assert f"not sent, corporate action since it was decided: {split.ticker}" in run.notes


def test_an_unsent_close_of_a_split_name_leaves_the_position(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The close counts old shares: the position stays, and the portfolio says so."""
    split, fund = find_split(world, reverse=True), world.open_fund()
    eve = previous_session(split.execution_date)
    play_to_close(fund, previous_session(eve))
    Rebalancer(fund.ports, Fixed({split.ticker: WEIGHT}), LIMITS).run(None)
    play_to_close(fund, eve)
    plan_only(fund, Fixed({}), monkeypatch)
    fund.move(Auction.OPEN)
    outcome = Rebalancer(fund.ports, Fixed({}), LIMITS).run(None)
    assert [order.state for order in outcome.orders] == [OrderState.DROPPED]
    assert outcome.portfolio is not None
    (row,) = outcome.portfolio.rows
    assert (row.action, row.quantity, row.reason) == (Action.HOLD, row.held, "corporate action since it was decided")
    assert held(fund, split.ticker) == pytest.approx(row.held * split.shares, abs=1)
    fund.move(Auction.CLOSE)
    Rebalancer(fund.ports, Fixed({}), LIMITS).run(None)
    fund.move(Auction.OPEN)
    assert held(fund, split.ticker) == 0


def plan_only(fund: SimulatedFund, strategy: Fixed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decide, and be killed before anything is sent."""
    with monkeypatch.context() as patch:
        patch.setattr(VenueBroker, "submit", _die)
        with pytest.raises(KeyboardInterrupt):
            Rebalancer(fund.ports, strategy, LIMITS).run(None)


def _die(*_: object) -> None:
    raise KeyboardInterrupt
