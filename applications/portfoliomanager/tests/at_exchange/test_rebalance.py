"""The rebalance against the real exchange and datamanager over loopback: fills, faults, refusals, foreign orders.

The tests share one exchange, whose clock only moves forward; each flattens the account and starts a journal of its own.
"""

from collections import Counter
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderSide as AlpacaSide
from alpaca.trading.enums import TimeInForce as AlpacaTimeInForce
from alpaca.trading.requests import MarketOrderRequest
from loaded_strategies import ten_by_ten
from pydantic import SecretStr

from applications.portfoliomanager.tests.portfoliomanager_kit import FAST, KEY, SECRET, Make, World, wire
from internal.dates import next_session, previous_session
from internal.errors import (
    ConflictError,
    InvalidRequestError,
    UnavailableError,
    UnresolvedOrderError,
    UpstreamError,
)
from internal.http.datamanager_client import DatamanagerClient, Knowledge
from internal.lake.lease import Lease
from internal.trading.enums import Action, Leg, OrderSide, OrderState, RunState, TimeInForce
from internal.trading.limits import RiskLimits
from internal.trading.orders import Order, OrderRequest
from internal.trading.performance import report_performance
from internal.trading.ports import RefusedOrderError, SuspendedAccountError
from internal.trading.rebalancing import Rebalancer
from internal.trading.reconciliation import Reconciliation
from portfoliomanager.adapters.alpaca_broker import AlpacaBroker
from portfoliomanager.adapters.lake_journal import LakeJournal
from portfoliomanager.adapters.market_data import DatamanagerMarketData

ORDERS = "/v2/orders"


def is_standing(order: Order) -> bool:
    """Whether the order was or may be at the broker."""
    return order.state not in {OrderState.REJECTED, OrderState.DROPPED}


def sides(orders: Iterable[Order]) -> dict[OrderSide, float]:
    """Dollars of the orders that stand, by side."""
    dollars = dict.fromkeys(OrderSide, 0.0)
    for order in filter(is_standing, orders):
        dollars[order.side] += order.quantity * order.reference_price
    return dollars


def states(orders: Iterable[Order]) -> set[OrderState]:
    """The states that occur."""
    return {order.state for order in orders}


def test_from_decision_to_fills(world: World, broker: AlpacaBroker, journal: LakeJournal, make: Make) -> None:
    """Ten by ten is sent, filled at the next open, recorded once, and both sides are equal."""
    day = world.session()
    world.store_predictions(day)
    outcome = make(ten_by_ten()).run(None)
    assert (outcome.run.state, outcome.run.date, list(outcome.foreign)) == (RunState.SUBMITTED, day, [])
    assert dict.fromkeys(OrderSide, 10) == Counter(order.side for order in outcome.orders)
    dollars = sides(outcome.orders)
    assert dollars[OrderSide.BUY] == pytest.approx(dollars[OrderSide.SELL], rel=0.05)
    assert sum(dollars.values()) == pytest.approx(broker.account().net_asset_value, rel=0.05)

    again = make(ten_by_ten()).run(day)
    assert again.orders == outcome.orders
    mine = {order["client_order_id"] for order in world.orders()} & {one.client_order_id for one in outcome.orders}
    assert len(mine) == 20

    world.move("next_open")
    done = make(ten_by_ten()).reconcile()
    assert (Reconciliation(20, 0, 0), []) == (done.counts, list(done.foreign))
    assert journal.runs()[0].state == "reconciled"
    before = journal.orders()
    make(ten_by_ten()).reconcile()
    assert journal.orders() == before
    assert len(journal.snapshots()) == 2

    at_exchange = {order["client_order_id"]: float(order["filled_qty"]) for order in world.orders()}
    for order in before:
        assert at_exchange[order.client_order_id] == order.filled_quantity
    held = sum(position.quantity for position in broker.positions())
    assert held == pytest.approx(sum(order.signed_filled_quantity for order in before))
    account, positions = broker.account(), broker.positions()
    long, short, value = account.long_market_value, account.short_market_value, account.net_asset_value
    assert (long - short) / value == pytest.approx(1.0, abs=0.05)
    assert abs(long + short) / value < 0.05
    assert len(positions) == 20
    assert report_performance(journal.snapshots()).points[-1].net_asset_value == value
    world.move("next_close")


def test_kept_and_closed(world: World, journal: LakeJournal, make: Make) -> None:
    """A wide band keeps every position and sends nothing; a narrow one closes all and opens other names."""
    world.store_predictions(world.session(), width=0.5)
    first = make().run(None)
    world.play_session()
    world.store_predictions(world.session(), width=0.5)
    kept = make().run(None)
    assert not kept.orders
    rows = kept.portfolio.rows if kept.portfolio else ()
    assert {Action.HOLD} == {row.action for row in rows}
    assert sorted(row.entry_price for row in rows) == pytest.approx(
        sorted(order.filled_average_price or 0 for order in journal.orders())
    )
    world.play_session()
    world.store_predictions(world.session(), width=1e-6)
    turned = make().run(None)
    closed, opened = ({order.ticker for order in turned.orders if order.leg is leg} for leg in (Leg.CLOSE, Leg.OPEN))
    assert closed == {order.ticker for order in first.orders}
    assert len(opened) == sum(order.leg is Leg.OPEN for order in turned.orders) == 6
    assert not opened & {order.ticker for order in first.orders}
    world.play_session()
    make().reconcile()
    assert states(journal.orders()) == {OrderState.FILLED}


@pytest.mark.parametrize("kind", ["gateway_timeout", "truncated_body", "html_body", "server_error", "rate_limit"])
def test_lost_answers_double_nothing(world: World, make: Make, kind: str) -> None:
    """An order whose answer is lost, whether it was accepted or not, is at the exchange once."""
    world.store_predictions(world.session())
    before = len(world.orders())
    world.fault(kind, path=ORDERS, method="POST", count=2)
    outcome = make().run(None)
    assert states(outcome.orders) == {OrderState.SUBMITTED}
    new = world.orders()[before:]
    assert sorted(order["client_order_id"] for order in new) == sorted(one.client_order_id for one in outcome.orders)


def test_hanging_broker(world: World, make: Make) -> None:
    """A broker that hangs after it accepted: our timeout ends the wait, the order is found, not sent again."""
    world.store_predictions(world.session())
    before = len(world.orders())
    world.fault("hang", path=ORDERS, method="POST", count=1, seconds=4)
    outcome = make().run(None)
    assert len(world.orders()) - before == len(outcome.orders) == 6


def test_unresolved_stops_and_resumes(world: World, journal: LakeJournal, make: Make) -> None:
    """While the broker neither confirms nor denies, the run stops and says so; asked again, it finishes."""
    world.store_predictions(world.session())
    before = len(world.orders())
    world.fault("gateway_timeout", path=ORDERS, method="POST", count=1)
    world.fault("server_error", path="/v2/orders:by_client_order_id", count=60)
    with pytest.raises(UnresolvedOrderError, match="may or may not be at the broker"):
        make().run(None)
    assert sum(order.state is OrderState.UNRESOLVED for order in journal.orders()) == 1
    assert journal.runs()[0].state == "planned"
    world.clear_faults()
    outcome = make().run(None)
    assert outcome.run.state == "submitted"
    assert len(world.orders()) - before == 6


def test_refused_short_cuts_the_longs(world: World, make: Make) -> None:
    """A short that the broker refuses although it is flagged shortable: the long side is cut in the same run."""
    world.store_predictions(world.session())
    world.fault("refused_short", count=1)
    outcome = make().run(None)
    rejected = [order.ticker for order in outcome.orders if order.state is OrderState.REJECTED]
    assert len(rejected) == 1
    dollars = sides(outcome.orders)
    assert dollars[OrderSide.BUY] == pytest.approx(dollars[OrderSide.SELL], rel=0.05)
    assert any("refused" in note for note in outcome.run.notes)
    assert any("long side was cut" in note for note in outcome.run.notes)
    rows = outcome.portfolio.rows if outcome.portfolio else ()
    assert [(row.quantity, row.dollar_amount) for row in rows if row.ticker == rejected[0]] == [(0.0, 0.0)]


def test_partial_fills_are_recorded(world: World, journal: LakeJournal, make: Make) -> None:
    """Half of every order fills: the journal holds what the exchange filled, and the run comes to its end."""
    world.store_predictions(world.session())
    outcome = make().run(None)
    world.fault("partial_fill", share=0.5, count=100)
    world.move("next_open")
    make().reconcile()
    assert states(journal.orders()) == {OrderState.PARTIALLY_FILLED}
    assert journal.runs()[0].state == "submitted"
    world.move("next_close")
    make().reconcile()
    exchange = {order["client_order_id"]: float(order["filled_qty"]) for order in world.orders()}
    recorded = {order.client_order_id: order.filled_quantity for order in journal.orders()}
    assert recorded == {order.client_order_id: exchange[order.client_order_id] for order in outcome.orders}
    assert all(order.filled_quantity < order.quantity for order in journal.orders())
    assert journal.runs()[0].state == "reconciled"


def test_foreign_is_left_alone(world: World, broker: AlpacaBroker, journal: LakeJournal, make: Make) -> None:
    """Somebody else's position and order are flagged, never traded, and their names never opened."""
    best = world.ranking(world.session())
    client = TradingClient(KEY, SECRET, url_override=world.exchange.url)

    def buy(ticker: str) -> None:
        order = MarketOrderRequest(symbol=ticker, qty=3, side=AlpacaSide.BUY, time_in_force=AlpacaTimeInForce.DAY)
        client.submit_order(order)

    buy(best[0])
    world.play_session()
    waiting = next(ticker for ticker in world.ranking(world.session()) if ticker != best[0])
    buy(waiting)
    outcome = make().run(None)
    flagged = {(item.kind, item.ticker, item.quantity) for item in outcome.foreign}
    assert flagged == {("position", best[0], 3.0), ("order", waiting, 3.0)}
    assert not {best[0], waiting} & {order.ticker for order in outcome.orders}
    assert sum("not ours" in note for note in outcome.run.notes) == 2
    world.play_session()
    world.store_predictions(world.session(), width=1e-6)
    closing = make().run(None)
    assert best[0] not in {order.ticker for order in closing.orders}
    assert {best[0], waiting} == {item.ticker for item in make().reconcile().foreign}
    assert [3] == [position.quantity for position in broker.positions() if position.ticker == best[0]]
    assert not {best[0], waiting} & {order.ticker for order in journal.orders()}


def test_suspended_account_only_says_so(world: World, journal: LakeJournal, make: Make) -> None:
    """The broker's own kill switch: nothing is planned, nothing is sent; switched back, the same POST trades."""
    world.store_predictions(world.session())
    before = len(world.orders())
    with suspended(world):
        with pytest.raises(SuspendedAccountError, match="suspend_trade"):
            make().run(None)
        assert not journal.runs()
        assert len(world.orders()) == before
    assert len(make().run(None).orders) == 6


@contextmanager
def suspended(world: World) -> Generator[None]:
    """Trading is switched off at the broker as long as the block lasts."""
    switch_trading(world, suspend=True)
    try:
        yield
    finally:
        switch_trading(world, suspend=False)


def switch_trading(world: World, *, suspend: bool) -> None:
    """The account's own switch."""
    keys = {"APCA-API-KEY-ID": KEY, "APCA-API-SECRET-KEY": SECRET}
    world.exchange.json("PATCH", "/v2/account/configurations", json={"suspend_trade": suspend}, headers=keys)


def test_days_that_cannot_be_decided(world: World, make: Make) -> None:
    """A weekend, the future, an old session, a day without predictions: each a sentence that says what to do."""
    day = world.session()
    with pytest.raises(InvalidRequestError, match="no session"):
        make().run(date(2025, 1, 4))
    with pytest.raises(InvalidRequestError, match="has not closed yet"):
        make().run(next_session(day))
    with pytest.raises(ConflictError, match="never decided"):
        make().run(previous_session(day, 3))
    with pytest.raises(ConflictError, match="POST /predictions"):
        make().run(day)


def test_session_without_bars(world: World, make: Make) -> None:
    """The exchange has closed a session that datamanager has not collected: the answer says which POST is missing."""
    world.move("next_open")
    world.exchange.json("POST", "/control/clock", json={"to": "next_close"})
    with pytest.raises(ConflictError, match=r"POST /equity-bars .* to datamanager"):
        make().run(None)
    world.datamanager.json("POST", "/equity-bars", json={"date": str(world.session())})


def test_interrupted_run_of_an_old_session(world: World, journal: LakeJournal, make: Make) -> None:
    """Interrupted before anything was sent and found a session later: its orders are dropped, never sent late."""
    world.store_predictions(world.session())
    before = len(world.orders())
    world.fault("rate_limit", path=ORDERS, method="POST", count=1000, seconds=0)
    with pytest.raises(UnavailableError, match="limits requests"):
        make().run(None)
    assert journal.runs()[0].state == "planned"
    world.clear_faults()
    world.play_session()
    make().recover()
    assert states(journal.orders()) == {OrderState.DROPPED}
    assert journal.runs()[0].state == "reconciled"
    assert len(world.orders()) == before


def test_data_service_down_sends_nothing(
    world: World, broker: AlpacaBroker, journal: LakeJournal, lease: Lease
) -> None:
    """Without datamanager nothing is decided and nothing sent; the sentence names the setting."""
    before = len(world.orders())
    with (
        DatamanagerClient("http://127.0.0.1:9", SecretStr("")) as nowhere,
        pytest.raises(UnavailableError, match="DATAMANAGER_URL"),
    ):
        Rebalancer(wire(broker, nowhere, journal, lease), FAST, RiskLimits()).run(None)
    assert not journal.runs()
    assert len(world.orders()) == before


def test_wrong_keys_and_no_broker(world: World) -> None:
    """Refused keys and a broker that is not there are different errors, and no key is in the words."""
    with pytest.raises(UpstreamError, match="refuses our keys") as refused:
        AlpacaBroker("PKWRONG", SECRET, world.exchange.url).account()
    assert SECRET not in refused.value.detail
    with pytest.raises(UnavailableError, match="cannot be reached"):
        AlpacaBroker(KEY, SECRET, "http://127.0.0.1:9").account()


def test_broker_by_itself(world: World, broker: AlpacaBroker) -> None:
    """The port's promises: a duplicate id answers with its order, an unknown one with None, nonsense is refused."""
    ticker = min(broker.assets().shortable)
    request = OrderRequest("one-id-for-one-order", ticker, OrderSide.BUY, 1.0, TimeInForce.DAY)
    first = broker.submit(request)
    assert broker.submit(replace(request, quantity=2.0)) == replace(first, state=broker.submit(request).state)
    assert broker.order("one-id-for-one-order") is not None
    assert broker.order("nobody-sent-this") is None
    assert [order.client_order_id for order in broker.open_orders()] == ["one-id-for-one-order"]
    with pytest.raises(RefusedOrderError):
        broker.submit(OrderRequest("another-id", "NOSUCHTICKER", OrderSide.BUY, 1.0, TimeInForce.DAY))
    with pytest.raises(RefusedOrderError):
        broker.submit(OrderRequest("a-third-id", ticker, OrderSide.SELL, 1.5, TimeInForce.DAY))
    for kind in ("rate_limit", "server_error", "truncated_body", "html_body"):
        world.fault(kind, path="/v2/account", count=2)
        assert broker.account().net_asset_value > 0


def test_a_replay_reads_what_the_decision_read(
    world: World, store: DatamanagerClient, journal: LakeJournal, make: Make
) -> None:
    """Bars that are corrected after a decision change what is read now, not what its run says it was made from."""
    day, needs = world.session(), ten_by_ten().needs
    world.store_predictions(day)
    make().run(None)
    run = journal.last_run()
    assert run is not None
    assert run.known_at is not None
    read = DatamanagerMarketData(store).day_inputs(day, needs)
    corrected = previous_session(day, 5)
    bars, _ = store.bars(corrected, corrected, adjusted_as_of=None)
    higher = bars.with_columns((pl.col("close") * 1.01).alias("close"), (pl.col("high") * 1.01).alias("high"))
    store.import_bars(higher, replace=True)
    try:
        now = DatamanagerMarketData(store).day_inputs(day, needs)
        again = DatamanagerMarketData(store, Knowledge(run.bars_version, run.known_at)).day_inputs(day, needs)
    finally:
        store.import_bars(bars, replace=True)
    assert not np.array_equal(now.volatility, read.volatility, equal_nan=True)
    assert (again.tickers, again.security_ids, again.bars_version) == (
        read.tickers,
        read.security_ids,
        run.bars_version,
    )
    assert None not in (read.security_ids or (None,))
    for name in ("price", "last_price", "liquid", "volatility", "bands", "mean_volume"):
        np.testing.assert_array_equal(getattr(again, name), getattr(read, name))
