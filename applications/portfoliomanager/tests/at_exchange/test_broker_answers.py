"""What the broker answers beside plain fills: changed orders, unknown words, what is lent, limits, its stream."""

import asyncio
import json
import time
from dataclasses import replace

import pytest
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderSide as AlpacaSide
from fastapi import FastAPI
from fastapi.responses import JSONResponse

from applications.portfoliomanager.tests.at_exchange.faults_kit import (
    KEYS,
    MakeOn,
    require_same_at_exchange,
    trade_by_hand,
)
from applications.portfoliomanager.tests.portfoliomanager_kit import FAST, KEY, SECRET, Make, World, rewriting
from internal.trading.enums import OrderSide, OrderState, Side, TimeInForce
from internal.trading.orders import Order, OrderRequest
from internal.trading.ports import RateLimitedError
from libraries.python.tests.loopback import serving
from portfoliomanager.adapters.alpaca_broker import AlpacaBroker
from portfoliomanager.adapters.lake_journal import LakeJournal
from portfoliomanager.adapters.trade_updates import TradeUpdates


def change_by_hand(world: World, order: Order, quantity: float) -> str:
    """Somebody changes the order at the broker, which makes another one of it; its id."""
    body = {"qty": f"{quantity:g}"}
    changed = world.exchange.json("PATCH", f"/v2/orders/{order.broker_order_id}", json=body, headers=KEYS)
    return str(changed["id"])


def test_orders_changed_by_hand_are_followed(
    world: World, broker: AlpacaBroker, journal: LakeJournal, make: Make
) -> None:
    """A long is changed in two steps, and a short: what they were changed to fills, and nothing is foreign."""
    world.store_predictions(world.session())
    planned = make().run(None).orders
    long = next(order for order in planned if order.position_side is Side.LONG)
    short = next(order for order in planned if order.position_side is Side.SHORT)
    between = change_by_hand(world, long, long.quantity - 1)
    change_by_hand(world, replace(long, broker_order_id=between), long.quantity - 2)
    change_by_hand(world, short, short.quantity - 2)
    assert not make().run(None).foreign
    world.move("next_open")
    assert not make().reconcile().foreign
    world.move("next_close")
    assert {OrderState.FILLED: 6} == journal.order_counts()
    filled = {order.ticker: order.filled_quantity for order in journal.orders()}
    assert filled[long.ticker] == long.quantity - 2
    assert filled[short.ticker] == short.quantity - 2
    assert {order.reference_price for order in journal.orders()} == {order.reference_price for order in planned}
    world.store_predictions(world.session(), width=0.9)
    following = make().run(None)
    assert not following.foreign
    assert not following.orders
    held = {row.ticker: row.quantity for row in following.portfolio.rows} if following.portfolio else {}
    assert held == {position.ticker: abs(position.quantity) for position in broker.positions()}


def test_unknown_words_of_the_broker_stop_nothing(
    world: World, broker: AlpacaBroker, journal: LakeJournal, make_on: MakeOn
) -> None:
    """Words that no client has, in somebody else's order and in the account: reported, and trading goes on."""
    day, stranger = world.session(), max(broker.assets().tradable)
    world.store_predictions(day)
    trade_by_hand(world, stranger, AlpacaSide.BUY, 3)
    foreign = broker.open_orders()[0].broker_order_id
    words = {"time_in_force": "gtd_plus", "type": "peg", "position_intent": "buy_to_hedge", "status": "half_open"}

    def rewrite(path: str, body: str) -> str:
        if path.startswith("v2/orders"):
            found: list[dict[str, object]] | dict[str, object] = json.loads(body)
            if isinstance(found, dict):
                return body
            return json.dumps([row | (words if row["id"] == foreign else {}) for row in found])
        return body.replace('"ACTIVE"', '"ACTIVE_PLUS"') if path == "v2/account" else body

    with rewriting(world.exchange.url, rewrite) as url:
        fund = make_on(AlpacaBroker(KEY, SECRET, url), FAST)
        outcome = fund.run(None)
        assert [item.client_order_id for item in outcome.foreign if item.ticker == stranger]
        assert {OrderState.SUBMITTED: 6} == journal.order_counts()
        assert not fund.reconcile().counts.unresolved


@pytest.mark.usefixtures("broker")
def test_an_unknown_state_of_an_own_order_is_unresolved(
    world: World, journal: LakeJournal, make: Make, make_on: MakeOn
) -> None:
    """The word is unresolved until the broker says another; nothing is sent twice."""
    world.store_predictions(world.session())
    before, outcome = len(world.orders()), make().run(None)
    with rewriting(world.exchange.url, lambda _, body: body.replace('"accepted"', '"half_open"')) as url:
        counts = make_on(AlpacaBroker(KEY, SECRET, url), FAST).reconcile().counts
    assert (counts.unresolved, counts.open) == (6, 0)
    world.play_session()
    make().reconcile()
    assert {OrderState.FILLED: 6} == journal.order_counts()
    require_same_at_exchange(world, outcome.orders, before)


def test_what_can_be_borrowed(world: World, broker: AlpacaBroker, make_on: MakeOn) -> None:
    """`borrow_status` comes first; without it and without the old key no short is opened, and a note says so."""
    keys: dict[str, object] = {}

    def rewrite(path: str, body: str) -> str:
        if path != "v2/assets":
            return body
        rows: list[dict[str, object]] = json.loads(body)
        left = [{key: row[key] for key in row if key not in {"borrow_status", "easy_to_borrow"}} for row in rows]
        return json.dumps([row | keys for row in left])

    world.store_predictions(world.session())
    with rewriting(world.exchange.url, rewrite) as url:
        changed = AlpacaBroker(KEY, SECRET, url)
        keys["borrow_status"] = "easy_to_borrow"
        assert changed.assets().shortable >= broker.assets().shortable
        keys |= {"borrow_status": "hard_to_borrow", "easy_to_borrow": True}
        assert not changed.assets().shortable
        assert not changed.assets().notes
        keys.clear()
        outcome = make_on(changed, FAST).run(None)
    assert not [order for order in outcome.orders if order.position_side is Side.SHORT]
    assert any("does not say what can be borrowed" in note for note in outcome.run.notes)


@pytest.mark.parametrize("header", ["Retry-After", "X-RateLimit-Reset"])
def test_a_limited_request_waits_as_long_as_is_asked(header: str) -> None:
    """Alpaca gives the moment of its reset in Unix seconds; others give seconds to wait."""
    limited, request = FastAPI(), OrderRequest("one", "A", OrderSide.BUY, 1.0, TimeInForce.DAY)

    @limited.post("/v2/orders")
    def refuse_all() -> JSONResponse:
        seconds = str(int(time.time()) + 30) if header == "X-RateLimit-Reset" else "30"
        return JSONResponse({"message": "too many requests."}, 429, {header: seconds})

    with serving(limited) as url, pytest.raises(RateLimitedError) as refused:
        AlpacaBroker(KEY, SECRET, url).submit(request)
    assert 25 < refused.value.retry_after <= 30


def test_fills_are_recorded_when_they_happen(
    world: World, broker: AlpacaBroker, journal: LakeJournal, make: Make
) -> None:
    """The broker's stream says that orders have filled; nobody else asks for a reconciliation."""
    world.store_predictions(world.session())
    trader = make()
    stranger = max(broker.assets().tradable - {order.ticker for order in trader.run(None).orders})

    async def follow_open() -> None:
        updates = TradeUpdates(KEY, SECRET, world.exchange.url)
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            receiving = group.create_task(updates.run())
            await receive_first(updates, world, stranger)
            opening = group.create_task(asyncio.to_thread(world.move, "next_open"))
            await updates.wait()
            await opening
            assert updates.is_connected
            receiving.cancel()
        trader.reconcile()

    asyncio.run(follow_open())
    assert {OrderState.FILLED: 6} == journal.order_counts()


async def receive_first(updates: TradeUpdates, world: World, ticker: str) -> None:
    """Order and cancel by hand until an update of it arrives: from then on none is missed."""
    client, received = TradingClient(KEY, SECRET, url_override=world.exchange.url), asyncio.create_task(updates.wait())
    while not received.done():
        await asyncio.to_thread(trade_by_hand, world, ticker, AlpacaSide.BUY, 1)
        order = next(row for row in reversed(world.orders()) if row["symbol"] == ticker)
        await asyncio.to_thread(client.cancel_order_by_id, order["id"])
        await asyncio.wait([received], timeout=0.5)
