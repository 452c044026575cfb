"""Runs that stop in the middle: trading switched off, openings that wait for buying power, a session that ends."""

import pytest
from loaded_strategies import ten_by_ten

from applications.portfoliomanager.tests.at_exchange.faults_kit import (
    NARROW,
    MakeOn,
    exposures,
    interpose,
    require_same_at_exchange,
    side_dollars,
    switch_trading,
)
from applications.portfoliomanager.tests.portfoliomanager_kit import FAST, Make, World
from internal.trading.enums import Leg, OrderState, RunState, Side
from internal.trading.orders import OrderRequest
from internal.trading.ports import SuspendedAccountError
from portfoliomanager.adapters import alpaca_broker
from portfoliomanager.adapters.alpaca_broker import AlpacaBroker
from portfoliomanager.adapters.lake_journal import LakeJournal


def test_suspended_after_seven_of_twenty(
    world: World, broker: AlpacaBroker, journal: LakeJournal, make: Make, make_on: MakeOn
) -> None:
    """Trading is switched off in the middle of a run: what was not sent stays planned, and goes on later."""
    world.store_predictions(world.session())
    before = len(world.orders())

    def suspend(_: OrderRequest) -> None:
        if len(world.orders()) - before == 7:
            switch_trading(world, suspend=True)

    try:
        with pytest.raises(SuspendedAccountError, match="rejected by user request"):
            make_on(interpose(broker, before=suspend), ten_by_ten()).run(None)
        assert {OrderState.SUBMITTED: 7, OrderState.PLANNED: 13} == journal.order_counts()
        with pytest.raises(SuspendedAccountError, match="switch it on"):
            make(ten_by_ten()).run(None)
    finally:
        switch_trading(world, suspend=False)
    outcome = make(ten_by_ten()).run(None)
    assert {OrderState.SUBMITTED: 20} == journal.order_counts()
    require_same_at_exchange(world, outcome.orders, before)


def test_suspended_until_the_next_session(
    world: World, broker: AlpacaBroker, journal: LakeJournal, make: Make, make_on: MakeOn
) -> None:
    """Nobody switches trading on again before the session ends: the rest is dropped, and the run says so."""
    world.store_predictions(world.session())

    def suspend(_: OrderRequest) -> None:
        if len(broker.open_orders()) == 2:
            switch_trading(world, suspend=True)

    with pytest.MonkeyPatch.context() as pages:
        pages.setattr(alpaca_broker, "ORDER_PAGE", 1)  # the second open order is on another page
        trader = make_on(interpose(broker, before=suspend), FAST)
        with pytest.raises(SuspendedAccountError):
            trader.run(None)
    world.play_session()
    switch_trading(world, suspend=False)
    make().recover()
    assert {OrderState.FILLED: 2, OrderState.DROPPED: 4} == journal.order_counts()
    run = journal.runs()[-1]
    assert run.state is RunState.RECONCILED
    assert "dropped" in run.notes[-1]


@pytest.mark.parametrize("gross", [1.0, 1.5, 2.0])
def test_openings_wait_for_buying_power(
    world: World, broker: AlpacaBroker, journal: LakeJournal, make: Make, gross: float
) -> None:
    """Everything is exchanged: openings that the closes have to pay for are sent after these have filled."""
    strategy = ten_by_ten(gross_exposure=gross, same_day_lock=False)
    world.store_predictions(world.session(), width=NARROW)
    make(strategy).run(None)
    world.play_session()
    make(strategy).reconcile()
    world.store_predictions(world.session(), width=NARROW)
    outcome = make(strategy).run(None)
    assert outcome.run.state is RunState.WAITING or gross == 1.0
    closes = [order for order in outcome.orders if order.leg is Leg.CLOSE]
    assert {OrderState.SUBMITTED} == {order.state for order in closes}
    dollars = side_dollars(outcome.orders)
    assert dollars[Side.LONG] == pytest.approx(dollars[Side.SHORT], rel=0.06)
    world.move("next_open")
    make(strategy).reconcile()
    orders = journal.of(outcome.run.portfolio_id)
    assert not {OrderState.PLANNED, OrderState.REJECTED} & {order.state for order in orders}
    world.move("next_close")
    make(strategy).reconcile()
    orders = journal.of(outcome.run.portfolio_id)
    assert all(order.state is OrderState.FILLED for order in orders if order.leg is Leg.CLOSE)
    assert sum(order.state is not OrderState.FILLED for order in orders) <= 2  # one delisted, one cut for it
    assert exposures(broker)[0] == pytest.approx(gross, rel=0.1)
    assert abs(exposures(broker)[1]) < 0.06 * gross


def test_waiting_openings_end_with_their_session(world: World, journal: LakeJournal, make: Make) -> None:
    """Nobody reconciles before the session ends: the openings are dropped with a note, the closes have filled."""
    strategy = ten_by_ten(gross_exposure=1.8, same_day_lock=False)
    world.store_predictions(world.session(), width=NARROW)
    make(strategy).run(None)
    world.play_session()
    world.store_predictions(world.session(), width=NARROW)
    outcome = make(strategy).run(None)
    world.play_session()
    assert outcome.run.state is RunState.WAITING
    waiting = [order.client_order_id for order in outcome.orders if order.state is OrderState.PLANNED]
    assert waiting
    make(strategy).recover()
    after = {order.client_order_id: order.state for order in journal.of(outcome.run.portfolio_id)}
    assert {OrderState.DROPPED} == {after[identity] for identity in waiting}
    assert "dropped" in journal.runs()[-1].notes[-1]
    portfolio = make(strategy).run(outcome.run.date).portfolio
    dropped = {order.ticker for order in outcome.orders if order.client_order_id in waiting}
    assert portfolio is not None
    assert {0.0} == {row.quantity for row in portfolio.rows if row.ticker in dropped}


def test_asleep_past_the_next_close(world: World, broker: AlpacaBroker, journal: LakeJournal, make_on: MakeOn) -> None:
    """The process is frozen after its third order and wakes after the next close: the others are not sent late."""
    world.store_predictions(world.session())
    before = len(world.orders())

    def sleep(_: OrderRequest) -> None:
        if len(world.orders()) - before == 3:
            world.play_session()

    outcome = make_on(interpose(broker, after=sleep), FAST).run(None)
    assert len(world.orders()) - before == 3
    assert {OrderState.FILLED: 3, OrderState.DROPPED: 3} == journal.order_counts()
    assert outcome.run.state is RunState.RECONCILED
    assert "dropped" in outcome.run.notes[-1]
