"""What is left of runs that were interrupted: orders get an end, and only the holder of the lease writes it down."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest
from loaded_strategies import ten_by_ten

from internal.dates import next_session
from internal.lake.lease import StandbyError
from internal.simulation.fund import SimulatedFund
from internal.simulation.venue_broker import VenueBroker
from internal.simulation.world import World
from internal.trading.broker_history import follow_broker_state
from internal.trading.broker_reports import Account, BrokerOrder
from internal.trading.enums import OrderState, RunState
from internal.trading.limits import RiskLimits
from internal.trading.memory_journal import MemoryJournal
from internal.trading.order_submission import OrderSubmitter
from internal.trading.orders import Order
from internal.trading.rebalancing import Rebalancer
from internal.venue.clock import Auction

STRATEGY = ten_by_ten(names_per_side=3, same_day_lock=False)


@pytest.fixture(scope="module")
def world() -> World:
    """Two sessions of 30 names."""
    return World.make(11, sessions_played=2, tickers=30)


class RevocableLease:
    """A lease that another process can take."""

    held = True

    def require(self) -> int:
        """The holding; StandbyError once it was taken."""
        if not self.held:
            raise StandbyError("standby")
        return 1


def end_session(fund: SimulatedFund) -> None:
    """Play the session after the decision."""
    fund.move(Auction.OPEN)
    fund.move(Auction.CLOSE)


def states(orders: Sequence[Order]) -> set[OrderState]:
    """The states of the orders."""
    return {order.state for order in orders}


def test_a_plan_without_its_run_ends_with_its_session(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process died between writing orders and run: a session later they are dropped, and nothing was sent."""
    fund = world.open_fund()
    with monkeypatch.context() as patch:
        patch.setattr(MemoryJournal, "save_runs", _die)
        with pytest.raises(KeyboardInterrupt):
            Rebalancer(fund.ports, STRATEGY, RiskLimits()).run(None)
    Rebalancer(fund.ports, STRATEGY, RiskLimits()).reconcile()
    assert states(fund.journal.orders()) == {OrderState.PLANNED}
    end_session(fund)
    counts = Rebalancer(fund.ports, STRATEGY, RiskLimits()).reconcile().counts
    assert states(fund.journal.orders()) == {OrderState.DROPPED}
    assert (counts.resolved, counts.open) == (len(fund.journal.orders()), 0)
    assert not fund.ports.broker.orders_since(fund.core.state.moment.replace(year=2000))


def _die(_: object, __: object) -> None:
    raise KeyboardInterrupt


def test_a_reconciliation_that_lost_the_lease_writes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process took over while the broker was asked, and may have sent more: its journal is left alone."""
    lease = RevocableLease()
    fund = world.open_fund(lease=lease)
    Rebalancer(fund.ports, STRATEGY, RiskLimits()).run(None)
    fund.move(Auction.OPEN)
    before, snapshot = fund.journal.orders(), fund.journal.last_snapshot()
    ask = VenueBroker.orders_since

    def ask_and_lose(broker: VenueBroker, moment: datetime) -> Sequence[BrokerOrder]:
        lease.held = False
        return ask(broker, moment)

    monkeypatch.setattr(VenueBroker, "orders_since", ask_and_lose)
    with pytest.raises(StandbyError):
        Rebalancer(fund.ports, STRATEGY, RiskLimits()).reconcile()
    assert (fund.journal.orders(), fund.journal.last_snapshot()) == (before, snapshot)


def test_an_order_in_an_unknown_state_is_not_dropped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker has the order and calls its state by a new word: it may have filled, so it is asked again."""
    fund = world.open_fund()
    Rebalancer(fund.ports, STRATEGY, RiskLimits()).run(None)
    end_session(fund)
    ask = VenueBroker.orders_since

    def ask_in_new_words(broker: VenueBroker, moment: datetime) -> Sequence[BrokerOrder]:
        return [replace(found, state=OrderState.UNRESOLVED) for found in ask(broker, moment)]

    with monkeypatch.context() as patch:
        patch.setattr(VenueBroker, "orders_since", ask_in_new_words)
        Rebalancer(fund.ports, STRATEGY, RiskLimits()).reconcile()
        assert states(fund.journal.orders()) == {OrderState.UNRESOLVED}
    Rebalancer(fund.ports, STRATEGY, RiskLimits()).reconcile()
    assert states(fund.journal.orders()) == {OrderState.FILLED}


def test_a_margin_deficit_stops_no_run_that_opens_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Buying power below 0, and nothing to open: the run is done."""
    fund, account = world.open_fund(), VenueBroker.account

    def in_deficit(broker: VenueBroker) -> Account:
        return replace(account(broker), buying_power=-1.0)

    monkeypatch.setattr(VenueBroker, "account", in_deficit)
    outcome = Rebalancer(fund.ports, ten_by_ten(names_per_side=0), RiskLimits()).run(None)
    assert outcome.run.state is RunState.SUBMITTED


def test_a_restored_broker_gets_no_order_of_a_later_session(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker is back before the close that a planned run was decided at: its orders are dropped."""
    fund = world.open_fund()
    with monkeypatch.context() as patch:
        patch.setattr(VenueBroker, "submit", _die)
        with pytest.raises(KeyboardInterrupt):
            Rebalancer(fund.ports, STRATEGY, RiskLimits()).run(None)
    run = fund.journal.last_run()
    assert run is not None
    later = next_session(run.date)
    fund.journal.add_runs([replace(run, date=later)])
    fund.journal.add_orders([replace(order, date=later) for order in fund.journal.orders()])
    moment = fund.ports.broker.moment()
    follow_broker_state(fund.ports, OrderSubmitter(fund.ports.broker, fund.ports.pause), moment)
    assert states(fund.journal.orders()) == {OrderState.DROPPED}
