"""Orders that the broker refuses, answers unreadably or rejects later, with the real exchange behind the real client.

Each test flattens the account and starts a journal of its own.
"""

from contextlib import suppress

import pytest
from loaded_strategies import ten_by_ten

from applications.portfoliomanager.tests.at_exchange.faults_kit import (
    ASKING,
    NARROW,
    ORDERS,
    MakeOn,
    exposures,
    interpose,
    refuse,
    require_same_at_exchange,
    side_dollars,
)
from applications.portfoliomanager.tests.portfoliomanager_kit import FAST, KEY, SECRET, Make, World, rewriting
from internal.errors import UnresolvedOrderError
from internal.trading.enums import Adjustment, Leg, OrderSide, OrderState, RunState, Side, TimeInForce
from internal.trading.orders import Order, OrderRequest
from portfoliomanager.adapters.alpaca_broker import AlpacaBroker
from portfoliomanager.adapters.lake_journal import LakeJournal


def test_unreadable_answers_stay_unresolved(world: World, journal: LakeJournal, make: Make) -> None:
    """The answer to an order is truncated, and so is all that is said of it: it is unresolved, and found later."""
    world.store_predictions(world.session())
    before = len(world.orders())
    world.fault("truncated_body", path=ORDERS, method="POST", count=2)
    world.fault("truncated_body", path=ASKING, count=50)
    with pytest.raises(UnresolvedOrderError, match="may or may not be at the broker"):
        make().run(None)
    assert {OrderState.PLANNED, OrderState.UNRESOLVED} == {order.state for order in journal.orders()}
    world.clear_faults()
    outcome = make().run(None)
    assert {OrderState.SUBMITTED} == {order.state for order in outcome.orders}
    require_same_at_exchange(world, outcome.orders, before)


def test_a_duplicate_is_never_a_refusal(world: World, broker: AlpacaBroker) -> None:
    """The repeated POST is answered 422: unreadable it is unresolved, readable it is the order that is there."""
    ticker = min(broker.assets().shortable)
    request = OrderRequest(f"once-{world.session()}", ticker, OrderSide.BUY, 1.0, TimeInForce.DAY)
    first = broker.submit(request)
    world.fault("truncated_body", path=ORDERS, method="POST", count=1)
    with pytest.raises(UnresolvedOrderError):
        broker.submit(request)
    world.fault("server_error", path=ASKING, count=1)
    with pytest.raises(UnresolvedOrderError, match="is there already"):
        broker.submit(request)
    assert broker.submit(request).broker_order_id == first.broker_order_id


@pytest.mark.parametrize("fate", ["refused", "unresolved"])
def test_the_cut_is_made_once(  # noqa: PLR0913, PLR0917 - fixtures
    world: World, broker: AlpacaBroker, journal: LakeJournal, make: Make, make_on: MakeOn, fate: str
) -> None:
    """A short is refused, a long cut for it, and that long fails; after a restart no held long is trimmed."""
    world.store_predictions(world.session(), width=0.5)
    make().run(None)
    world.play_session()
    world.store_predictions(world.session(), width=0.5)
    larger = ten_by_ten(names_per_side=5, gross_exposure=1.4, same_day_lock=False)
    world.fault("refused_short", count=1)
    if fate == "refused":
        faulty = refuse(world, broker, lambda request: request.side is OrderSide.BUY, 1)
    else:
        faulty = interpose(broker, before=lambda request: _lose(world, request))
    with suppress(UnresolvedOrderError):
        make_on(faulty, larger).run(None)
    cut = {order.client_order_id: order.quantity for order in _cut_longs(journal)}
    assert cut
    world.clear_faults()
    for again in (make(larger), make(larger)):
        again.recover()
        outcome = again.run(None)
    orders = journal.of(outcome.run.portfolio_id)
    assert outcome.run.state is RunState.SUBMITTED
    assert cut == {order.client_order_id: order.quantity for order in _cut_longs(journal)}
    assert not any(order.leg is Leg.CLOSE for order in orders)
    dollars = side_dollars(orders)
    assert dollars[Side.LONG] == pytest.approx(dollars[Side.SHORT], rel=0.11)


def _cut_longs(journal: LakeJournal) -> list[Order]:
    return [
        order
        for order in journal.orders()
        if order.adjustment is Adjustment.CUT and order.position_side is Side.LONG and order.leg is Leg.OPEN
    ]


def _lose(world: World, request: OrderRequest) -> None:
    """The answers to a buy, and to all questions about it, are lost."""
    if request.side is OrderSide.BUY:
        world.fault("gateway_timeout", path=ORDERS, method="POST", count=1)
        world.fault("server_error", path=ASKING, count=50)


def test_refused_long_cuts_the_shorts(
    world: World, broker: AlpacaBroker, journal: LakeJournal, make: Make, make_on: MakeOn
) -> None:
    """A long is refused after the shorts were sent: they are canceled, and smaller ones take their places."""
    world.store_predictions(world.session())
    before = len(world.orders())
    faulty = refuse(world, broker, lambda request: request.side is OrderSide.BUY, 1)
    outcome = make_on(faulty, FAST).run(None)
    assert outcome.run.state is RunState.SUBMITTED
    assert sum(order.state is OrderState.REJECTED for order in outcome.orders) == 1
    replaced = [order for order in outcome.orders if order.adjustment is Adjustment.REPLACED]
    assert len(replaced) == 3
    assert {OrderState.CANCELED} == {order.state for order in replaced}
    dollars = side_dollars(outcome.orders)
    assert dollars[Side.LONG] == pytest.approx(dollars[Side.SHORT], rel=0.06)
    own = {order.client_order_id for order in journal.orders()}
    at_exchange = [order for order in world.orders()[before:] if order["client_order_id"] in own]
    standing = [order for order in at_exchange if order["status"] != "canceled"]
    assert len(standing) == 2 + 3
    assert make().run(None).orders == outcome.orders


def test_refused_close_counts_as_held(world: World, broker: AlpacaBroker, make: Make, make_on: MakeOn) -> None:
    """A long cannot be closed: it is still held, so that fewer longs are opened, and both sides stay equal."""
    world.store_predictions(world.session(), width=NARROW)
    make().run(None)
    world.play_session()
    make().reconcile()
    world.store_predictions(world.session(), width=NARROW)
    faulty = refuse(world, broker, lambda one: "-close-" in one.client_order_id and one.side is OrderSide.SELL, 1)
    outcome = make_on(faulty, FAST).run(None)
    refused = [order for order in outcome.orders if order.state is OrderState.REJECTED and order.leg is Leg.CLOSE]
    assert len(refused) == 1
    rows = {row.ticker: row for row in outcome.portfolio.rows} if outcome.portfolio else {}
    kept = rows[refused[0].ticker]
    assert kept.quantity == kept.held > 0
    dollars = dict.fromkeys(Side, 0.0)
    for row in rows.values():
        dollars[row.side] += row.dollar_amount
    assert dollars[Side.LONG] == pytest.approx(dollars[Side.SHORT], rel=0.06)


def test_a_late_rejection_cuts_the_other_side(
    world: World, broker: AlpacaBroker, journal: LakeJournal, make: Make, make_on: MakeOn
) -> None:
    """The broker accepts a long and rejects it before the open: the shorts that wait are replaced by smaller ones."""
    world.store_predictions(world.session())
    planned = make().run(None).orders
    long = next(order for order in planned if order.position_side is Side.LONG)
    broker.cancel(str(long.broker_order_id))

    def reject(path: str, body: str) -> str:
        return body if "by_client_order_id" in path else body.replace('"canceled"', '"rejected"')

    with rewriting(world.exchange.url, reject) as url:
        make_on(AlpacaBroker(KEY, SECRET, url), FAST).reconcile()
    orders = journal.of(long.portfolio_id)
    assert [order.ticker for order in orders if order.state is OrderState.REJECTED] == [long.ticker]
    dollars = side_dollars(orders)
    assert dollars[Side.LONG] == pytest.approx(dollars[Side.SHORT], rel=0.06)
    assert dollars[Side.LONG] > 0
    world.play_session()
    assert not make().reconcile().foreign
    assert abs(exposures(broker)[1]) < 0.06
