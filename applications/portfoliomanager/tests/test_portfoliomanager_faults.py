"""Faults of the money path, each with the real exchange as a process of its own behind the real Alpaca client.

The tests share one exchange; each flattens the account and starts a journal of its own.
"""

import asyncio
import json
import shutil
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderSide as AlpacaSide
from alpaca.trading.enums import TimeInForce as AlpacaTimeInForce
from alpaca.trading.requests import MarketOrderRequest
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from loaded_strategies import ten_by_ten

from applications.portfoliomanager.tests.portfoliomanager_kit import FAST, KEY, SECRET, Make, World, rewriting, wire
from fund.backup import write_backup
from fund.folder import FundFolder
from fund.restore import restore_backup
from internal.errors import UnresolvedOrderError
from internal.http.datamanager_client import DatamanagerClient
from internal.lake.lease import Lease
from internal.lake.store import Lake
from internal.strategies.loading import LoadedStrategy
from internal.trading.broker_history import BrokerHistoryError
from internal.trading.enums import Adjustment, Leg, OrderSide, OrderState, RunState, Side, TimeInForce
from internal.trading.limits import RiskLimits
from internal.trading.orders import Order, OrderRequest
from internal.trading.ports import Broker, RateLimitedError, SuspendedAccountError
from internal.trading.rebalancing import Rebalancer
from internal.trading.send_permission import TradingHaltedError
from internal.trading.state_changes import change_state
from internal.trading.trading_state import StateCause, TradingState
from libraries.python.tests.loopback import serving
from portfoliomanager.adapters import alpaca_broker
from portfoliomanager.adapters.alpaca_broker import AlpacaBroker
from portfoliomanager.adapters.lake_journal import LakeJournal
from portfoliomanager.adapters.trade_updates import TradeUpdates

ORDERS = "/v2/orders"
ASKING = "/v2/orders:by_client_order_id"
KEYS = {"APCA-API-KEY-ID": KEY, "APCA-API-SECRET-KEY": SECRET}
NARROW = 1e-6  # of a band that every position leaves after a session
type Hook = Callable[[OrderRequest], object]
type MakeOn = Callable[[Broker, LoadedStrategy], Rebalancer]


@dataclass
class Interposed:
    """The real broker, with something that happens at the exchange right before or after an order is sent."""

    inner: Broker
    before: Hook = lambda _: None
    after: Hook = lambda _: None
    sent: list[OrderRequest] = field(default_factory=list[OrderRequest])

    def __getattr__(self, name: str) -> object:
        """Every other method of the broker."""
        return getattr(self.inner, name)

    def submit(self, request: OrderRequest) -> object:
        """Send it between the two."""
        self.before(request)
        self.sent.append(request)
        answer = self.inner.submit(request)
        self.after(request)
        return answer


@pytest.fixture
def make_on(store: DatamanagerClient, journal: LakeJournal, lease: Lease) -> MakeOn:
    """A rebalancer on another broker than the plain one."""
    return lambda broker, strategy: Rebalancer(wire(broker, store, journal, lease), strategy, RiskLimits())


def interpose(broker: AlpacaBroker, before: Hook = lambda _: None, after: Hook = lambda _: None) -> Broker:
    """The broker with hooks around each send."""
    return Interposed(broker, before, after)  # pyright: ignore[reportReturnType]  # passes every other method on


def side_dollars(orders: Iterable[Order]) -> dict[Side, float]:
    """Dollars of the openings that stand, by the side of their positions."""
    dollars = dict.fromkeys(Side, 0.0)
    for order in orders:
        if order.leg is Leg.OPEN and order.state in {OrderState.SUBMITTED, OrderState.FILLED}:
            dollars[order.position_side] += order.quantity * order.reference_price
    return dollars


def require_same_at_exchange(world: World, orders: Iterable[Order], since: int) -> None:
    """The exchange has exactly the orders that the journal says were sent, each once."""
    sent = {order.client_order_id for order in orders if order.broker_order_id is not None}
    assert sorted(order["client_order_id"] for order in world.orders()[since:]) == sorted(sent)


def trade_by_hand(world: World, ticker: str, side: AlpacaSide, quantity: float) -> None:
    """Somebody else's order."""
    client = TradingClient(KEY, SECRET, url_override=world.exchange.url)
    client.submit_order(MarketOrderRequest(symbol=ticker, qty=quantity, side=side, time_in_force=AlpacaTimeInForce.DAY))


def refuse(world: World, broker: AlpacaBroker, choose: Callable[[OrderRequest], bool], count: int) -> Broker:
    """The broker that refuses the first `count` chosen orders: somebody else's order is placed before each."""
    left = [count]

    def place_opposite(request: OrderRequest) -> None:
        if left[0] and choose(request):
            left[0] -= 1
            opposite = AlpacaSide.SELL if request.side is OrderSide.BUY else AlpacaSide.BUY
            opening = "-open-" in request.client_order_id
            trade_by_hand(world, request.ticker, opposite if opening else AlpacaSide(request.side), 1)

    return interpose(broker, before=place_opposite)


def exposures(broker: AlpacaBroker) -> tuple[float, float]:
    """Gross and net exposure of the account."""
    account = broker.account()
    long, short = account.long_market_value, account.short_market_value
    return (long - short) / account.net_asset_value, (long + short) / account.net_asset_value


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


def switch_trading(world: World, *, suspend: bool) -> None:
    """The account's own switch."""
    world.exchange.json("PATCH", "/v2/account/configurations", json={"suspend_trade": suspend}, headers=KEYS)


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


def test_restored_backup_waits_and_adopts_own_orders(  # noqa: PLR0913, PLR0917 - fixtures
    world: World, broker: AlpacaBroker, store: DatamanagerClient, lease: Lease, make: Make, tmp_path: Path
) -> None:
    """Yesterday's backup comes back while the broker has today's orders.

    Nothing is sent before a person resumes; then the orders are the fund's again, each once.
    """
    world.store_predictions(world.session(), width=NARROW)
    make().run(None)
    world.play_session()
    make().reconcile()
    backup, home = tmp_path / "fund.tar.gz", FundFolder(tmp_path / "restored")
    write_backup(FundFolder(tmp_path), backup, datetime.now(UTC))
    world.store_predictions(world.session(), width=NARROW)
    lost = make().run(None)
    before = len(world.orders())
    restore_backup(backup, home, datetime(2026, 11, 28, tzinfo=UTC), replace=False)
    journal = LakeJournal(Lake(str(home.lake)))

    def make_restored() -> Rebalancer:
        return Rebalancer(wire(broker, store, journal, lease), FAST, RiskLimits())

    assert journal.trading_state().cause is StateCause.RESTORE
    assert journal.run(lost.run.portfolio_id) is None
    with pytest.raises(TradingHaltedError, match="restored from a backup"):
        make_restored().run(None)
    make_restored().recover()
    assert len(world.orders()) == before
    assert {order.client_order_id for order in lost.orders} == {
        order.client_order_id for order in journal.of(lost.run.portfolio_id)
    }
    change_state(journal, TradingState.ACTIVE, "ada", StateCause.OWNER, "reconciled", datetime.now(UTC))
    again = make_restored().run(None)
    assert (again.run.portfolio_id, list(again.foreign)) == (lost.run.portfolio_id, [])
    assert "restored" in again.run.notes[-1]
    assert len(world.orders()) == before
    world.play_session()
    assert not make_restored().reconcile().foreign
    world.store_predictions(world.session(), width=NARROW)
    following = make_restored().run(None)
    opened = {order.ticker for order in again.orders if order.leg is Leg.OPEN}
    assert opened == {order.ticker for order in following.orders if order.leg is Leg.CLOSE}
    assert not following.foreign
    assert exposures(broker)[0] == pytest.approx(0.6, abs=0.06)  # three names of at most a fifth of a side each
    assert journal.order_counts()[OrderState.UNRESOLVED] == 0


def test_lost_journal_adopts_what_explains_the_account(
    world: World, make: Make, broker: AlpacaBroker, tmp_path: Path
) -> None:
    """The whole journal is lost: positions that own orders explain are the fund's, others stay foreign."""
    world.store_predictions(world.session(), width=NARROW)
    first = make().run(None)
    stranger = max(broker.assets().tradable - {order.ticker for order in first.orders})
    trade_by_hand(world, stranger, AlpacaSide.BUY, 3)
    world.play_session()
    for table in ("orders", "rebalances", "account_snapshots"):
        shutil.rmtree(tmp_path / "lake" / table)
    make().recover()
    assert [stranger] == [item.ticker for item in make().reconcile().foreign]
    assert [stranger] == [item.ticker for item in make().report_foreign()]
    world.store_predictions(world.session(), width=NARROW)
    following = make().run(None)
    assert {order.ticker for order in first.orders} == {o.ticker for o in following.orders if o.leg is Leg.CLOSE}


def test_restored_broker_halts_the_fund(world: World, journal: LakeJournal, make: Make, tmp_path: Path) -> None:
    """The exchange is restored to before the run: nothing is sent until its owner accepts it, then trading goes on."""
    world.store_predictions(world.session())
    state = world.folder / "exchange"
    world.exchange.stop()
    shutil.copytree(state, tmp_path / "older")
    world.exchange.start()
    make().run(None)
    world.move("next_open")
    make().reconcile()
    assert {OrderState.FILLED: 6} == journal.order_counts()
    world.exchange.kill()
    shutil.rmtree(state)
    shutil.copytree(tmp_path / "older", state)
    world.exchange.start()
    before = len(world.orders())
    for work in (make().reconcile, make().recover):
        with pytest.raises(BrokerHistoryError, match="accept_broker_state"):
            work()
    assert {OrderState.FILLED: 6} == journal.order_counts()
    world.play_session()  # the clock has passed the last snapshot: the orders are still missing
    with pytest.raises(BrokerHistoryError, match="lost 6 orders"):
        make().reconcile()
    make().accept_broker_state()
    make().reconcile()
    assert {OrderState.DROPPED: 6} == journal.order_counts()
    assert journal.slippage() == 0
    world.store_predictions(world.session())
    assert len(make().run(None).orders) == 6
    assert len(world.orders()) == before + 6


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
