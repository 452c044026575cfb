"""The rebalance against the real exchange and datamanager over loopback: fills, faults, refusals, foreign orders.

The tests share one exchange, whose clock only moves forward; each flattens the account and starts a journal of its own.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderSide, TimeInForce
from alpaca.trading.requests import MarketOrderRequest
from pydantic import SecretStr

from internal.dates import next_session, previous_session
from internal.errors import (
    ConflictError,
    InvalidRequestError,
    UnavailableError,
    UnresolvedOrderError,
    UpstreamError,
)
from internal.http.datamanager_client import DatamanagerClient
from internal.lake.lease import Lease
from internal.lake.objects import Objects
from internal.lake.store import Lake
from portfoliomanager import performance
from portfoliomanager.adapters.alpaca_broker import AlpacaBroker
from portfoliomanager.adapters.lake_journal import LakeJournal
from portfoliomanager.policy import Policy
from portfoliomanager.portfolio_view import current_portfolio
from portfoliomanager.ports import RefusedOrderError, SuspendedAccountError, Ticket
from portfoliomanager.rebalance import Rebalancer

KEY, SECRET, TOKEN = "PKTESTKEY", "a-secret-of-the-tests", "a-token-of-the-tests"
FAST = Policy(names_per_side=3, same_day_lock=False)
ORDERS = "/v2/orders"
type Make = Callable[..., Rebalancer]
World = Any  # the class of conftest, which no test can import


@pytest.fixture
def broker(world: World) -> Iterator[AlpacaBroker]:
    """The real client; before and after a test the account is flat and no fault is left."""
    _flatten(world)
    yield AlpacaBroker(KEY, SECRET, world.exchange.url, timeout_seconds=2.0)
    world.clear_faults()


def _flatten(world: World) -> None:
    client = TradingClient(KEY, SECRET, url_override=world.exchange.url)
    client.cancel_orders()
    if client.get_all_positions():
        client.close_all_positions(cancel_orders=True)
    world.play_session()  # a session of its own: ids of an earlier test's orders are taken
    assert client.get_all_positions() == []


@pytest.fixture
def store(world: World) -> Iterator[DatamanagerClient]:
    """The real datamanager."""
    with DatamanagerClient(world.datamanager.url, SecretStr(TOKEN)) as client:
        yield client


@pytest.fixture
def journal(tmp_path: Path) -> LakeJournal:
    """A journal in a lake of its own."""
    return LakeJournal(Lake(str(tmp_path / "lake")))


@pytest.fixture
def lease(tmp_path: Path) -> Iterator[Lease]:
    """The trader's lease in the same lake."""
    with Lease(Objects(str(tmp_path / "lake")), "trader", tmp_path, seconds=30) as lease:
        yield lease


@pytest.fixture
def make(
    broker: AlpacaBroker, store: DatamanagerClient, journal: LakeJournal, lease: Lease
) -> Callable[..., Rebalancer]:
    """A rebalancer on the test's journal, as a fresh process would wire it."""
    return lambda policy=FAST: Rebalancer(broker, store, journal, lease, policy)


def sides(orders: pl.DataFrame) -> dict[str, float]:
    """Dollars of the orders that stand, by side."""
    standing = orders.filter(~pl.col("state").is_in(["rejected", "dropped"]))
    dollars = (pl.col("quantity") * pl.col("reference_price")).sum()
    return dict(standing.group_by("side").agg(dollars).iter_rows())


def test_from_decision_to_fills(world: World, broker: AlpacaBroker, journal: LakeJournal, make: Make) -> None:
    """Ten by ten is sent, filled at the next open, booked once, and the book is equal on both sides."""
    day = world.session()
    world.store_predictions(day)
    outcome = make(Policy()).run(None)
    assert (outcome.record.state, outcome.record.date, outcome.foreign) == ("submitted", day, [])
    assert outcome.orders.group_by("side").len().sort("side").rows() == [("buy", 10), ("sell", 10)]
    dollars = sides(outcome.orders)
    assert dollars["buy"] == pytest.approx(dollars["sell"], rel=0.05)
    assert sum(dollars.values()) == pytest.approx(broker.account().net_asset_value, rel=0.05)

    again = make(Policy()).run(day)
    assert again.orders.equals(outcome.orders)
    mine = {order["client_order_id"] for order in world.orders()} & set(outcome.orders["client_order_id"])
    assert len(mine) == 20

    world.move("next_open")
    done, foreign = make(Policy()).reconcile()
    assert (done.resolved, done.open, done.unresolved, foreign) == (20, 0, 0, [])
    assert journal.rebalances()[0].state == "reconciled"
    before = journal.orders()
    make(Policy()).reconcile()
    assert journal.orders().equals(before)
    assert journal.snapshots().height == 2

    at_exchange = {order["client_order_id"]: float(order["filled_qty"]) for order in world.orders()}
    for identity, quantity in before.select("client_order_id", "filled_quantity").iter_rows():
        assert at_exchange[identity] == quantity
    held = broker.positions()
    net = before.select(pl.when(pl.col("side") == "buy").then("filled_quantity").otherwise(-pl.col("filled_quantity")))
    assert held.get_column("quantity").sum() == pytest.approx(net.to_series().sum())
    current = current_portfolio(broker, journal)
    assert current["gross_exposure"] == pytest.approx(1.0, abs=0.05)
    assert abs(current["net_exposure"]) < 0.05
    assert len(current["positions"]) == 20
    report = performance.report(journal.snapshots())
    assert report["points"][-1]["net_asset_value"] == current["net_asset_value"]
    world.move("next_close")


def test_kept_and_closed(world: World, journal: LakeJournal, make: Make) -> None:
    """A wide band keeps every position and sends nothing; a narrow one closes all and opens other names."""
    world.store_predictions(world.session(), width=0.5)
    first = make().run(None)
    world.play_session()
    world.store_predictions(world.session(), width=0.5)
    kept = make().run(None)
    assert kept.orders.is_empty()
    assert kept.positions.get_column("action").unique().to_list() == ["hold"]
    assert kept.positions.get_column("entry_price").sort().to_list() == pytest.approx(
        journal.orders().get_column("filled_average_price").sort().to_list()
    )
    world.play_session()
    world.store_predictions(world.session(), width=1e-6)
    turned = make().run(None)
    assert set(turned.orders.filter(leg="close")["ticker"]) == set(first.orders["ticker"])
    assert turned.orders.filter(leg="open").height == 6
    assert not set(turned.orders.filter(leg="open")["ticker"]) & set(first.orders["ticker"])
    world.play_session()
    make().reconcile()
    assert journal.orders().get_column("state").unique().to_list() == ["filled"]


@pytest.mark.parametrize("kind", ["gateway_timeout", "truncated_body", "html_body", "server_error", "rate_limit"])
def test_lost_answers_double_nothing(world: World, make: Make, kind: str) -> None:
    """An order whose answer is lost, whether it was accepted or not, is at the exchange once."""
    world.store_predictions(world.session())
    before = len(world.orders())
    world.fault(kind, path=ORDERS, method="POST", count=2)
    outcome = make().run(None)
    assert outcome.orders.get_column("state").unique().to_list() == ["submitted"]
    new = world.orders()[before:]
    assert sorted(order["client_order_id"] for order in new) == sorted(outcome.orders["client_order_id"])


def test_hanging_broker(world: World, make: Make) -> None:
    """A broker that hangs after it accepted: our timeout ends the wait, the order is found, not sent again."""
    world.store_predictions(world.session())
    before = len(world.orders())
    world.fault("hang", path=ORDERS, method="POST", count=1, seconds=4)
    outcome = make().run(None)
    assert len(world.orders()) - before == outcome.orders.height == 6


def test_unresolved_stops_and_resumes(world: World, journal: LakeJournal, make: Make) -> None:
    """While the broker neither confirms nor denies, the run stops and says so; asked again, it finishes."""
    world.store_predictions(world.session())
    before = len(world.orders())
    world.fault("gateway_timeout", path=ORDERS, method="POST", count=1)
    world.fault("server_error", path="/v2/orders:by_client_order_id", count=60)
    with pytest.raises(UnresolvedOrderError, match="may or may not be at the broker"):
        make().run(None)
    assert journal.orders().filter(state="unresolved").height == 1
    assert journal.rebalances()[0].state == "planned"
    world.clear_faults()
    outcome = make().run(None)
    assert outcome.record.state == "submitted"
    assert len(world.orders()) - before == 6


def test_refused_short_cuts_the_longs(world: World, make: Make) -> None:
    """A short that the broker refuses although it is flagged shortable: the long side is cut in the same run."""
    world.store_predictions(world.session())
    world.fault("refused_short", count=1)
    outcome = make().run(None)
    assert outcome.orders.filter(state="rejected").height == 1
    dollars = sides(outcome.orders)
    assert dollars["buy"] == pytest.approx(dollars["sell"], rel=0.05)
    assert any("refused" in note for note in outcome.record.notes)
    assert any("long side was cut" in note for note in outcome.record.notes)
    rejected = outcome.orders.filter(state="rejected").item(0, "ticker")
    assert outcome.positions.filter(ticker=rejected).select("quantity", "dollar_amount").rows() == [(0.0, 0.0)]


def test_partial_fills_are_booked(world: World, journal: LakeJournal, make: Make) -> None:
    """Half of every order fills: the journal holds what the exchange filled, and the run comes to its end."""
    world.store_predictions(world.session())
    outcome = make().run(None)
    world.fault("partial_fill", share=0.5, count=100)
    world.move("next_open")
    make().reconcile()
    assert journal.orders().get_column("state").unique().to_list() == ["partially_filled"]
    assert journal.rebalances()[0].state == "submitted"
    world.move("next_close")
    make().reconcile()
    exchange = {order["client_order_id"]: float(order["filled_qty"]) for order in world.orders()}
    booked = journal.orders()
    assert {row[0]: row[1] for row in booked.select("client_order_id", "filled_quantity").iter_rows()} == {
        identity: exchange[identity] for identity in outcome.orders["client_order_id"]
    }
    assert (booked["filled_quantity"] < booked["quantity"]).all()
    assert journal.rebalances()[0].state == "reconciled"


def test_foreign_is_left_alone(world: World, broker: AlpacaBroker, journal: LakeJournal, make: Make) -> None:
    """Somebody else's position and order are flagged, never traded, and their names never opened."""
    frame = world.store_predictions(world.session())
    best = frame.filter(horizon=7).sort("quantile_50", descending=True)["ticker"].to_list()
    client = TradingClient(KEY, SECRET, url_override=world.exchange.url)

    def buy(ticker: str) -> None:
        client.submit_order(MarketOrderRequest(symbol=ticker, qty=3, side=OrderSide.BUY, time_in_force=TimeInForce.DAY))

    buy(best[0])
    world.play_session()
    day = world.session()
    same_ranking = world.store_predictions(day).filter(horizon=7).sort("quantile_50", descending=True)
    waiting = next(ticker for ticker in same_ranking["ticker"] if ticker != best[0])
    buy(waiting)
    outcome = make().run(None)
    flagged = {(row["kind"], row["ticker"], row["quantity"]) for row in outcome.foreign}
    assert flagged == {("position", best[0], 3.0), ("order", waiting, 3.0)}
    assert not {best[0], waiting} & set(outcome.orders["ticker"])
    assert sum("not ours" in note for note in outcome.record.notes) == 2
    world.play_session()
    world.store_predictions(world.session(), width=1e-6)
    closing = make().run(None)
    assert best[0] not in closing.orders["ticker"]
    assert {best[0], waiting} == {row["ticker"] for row in make().reconcile()[1]}
    assert broker.positions().filter(ticker=best[0]).item(0, "quantity") == 3
    assert journal.orders().filter(pl.col("ticker").is_in([best[0], waiting])).is_empty()


def test_suspended_account_only_says_so(world: World, journal: LakeJournal, make: Make) -> None:
    """The broker's own kill switch: nothing is planned, nothing is sent; switched back, the same POST trades."""
    world.store_predictions(world.session())
    keys = {"APCA-API-KEY-ID": KEY, "APCA-API-SECRET-KEY": SECRET}
    switch = "/v2/account/configurations"
    world.exchange.json("PATCH", switch, json={"suspend_trade": True}, headers=keys)
    before = len(world.orders())
    try:
        with pytest.raises(SuspendedAccountError, match="suspend_trade"):
            make().run(None)
        assert journal.rebalances() == []
        assert len(world.orders()) == before
    finally:
        world.exchange.json("PATCH", switch, json={"suspend_trade": False}, headers=keys)
    assert make().run(None).orders.height == 6


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
    assert journal.rebalances()[0].state == "planned"
    world.clear_faults()
    world.play_session()
    make().recover()
    assert journal.orders().get_column("state").unique().to_list() == ["dropped"]
    assert journal.rebalances()[0].state == "reconciled"
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
        Rebalancer(broker, nowhere, journal, lease, FAST).run(None)
    assert journal.rebalances() == []
    assert len(world.orders()) == before


def test_wrong_keys_and_no_broker(world: World) -> None:
    """Refused keys and a broker that is not there are told apart, and no key is in the words."""
    with pytest.raises(UpstreamError, match="refuses our keys") as refused:
        AlpacaBroker("PKWRONG", SECRET, world.exchange.url).account()
    assert SECRET not in refused.value.detail
    with pytest.raises(UnavailableError, match="cannot be reached"):
        AlpacaBroker(KEY, SECRET, "http://127.0.0.1:9").account()


def test_broker_by_itself(world: World, broker: AlpacaBroker) -> None:
    """The port's promises: a duplicate id answers with its order, an unknown one with None, nonsense is refused."""
    ticker = broker.assets().filter("shortable").item(0, "ticker")
    ticket = Ticket("one-id-for-one-order", ticker, "buy", 1.0, "day")
    first = broker.submit(ticket)
    assert broker.submit(replace(ticket, quantity=2.0)) == replace(first, state=broker.submit(ticket).state)
    assert broker.order("one-id-for-one-order") is not None
    assert broker.order("nobody-sent-this") is None
    assert [order.client_order_id for order in broker.open_orders()] == ["one-id-for-one-order"]
    with pytest.raises(RefusedOrderError):
        broker.submit(Ticket("another-id", "NOSUCHTICKER", "buy", 1.0, "day"))
    with pytest.raises(RefusedOrderError):
        broker.submit(Ticket("a-third-id", ticker, "sell", 1.5, "day"))
    for kind in ("rate_limit", "server_error", "truncated_body", "html_body"):
        world.fault(kind, path="/v2/account", count=2)
        assert broker.account().net_asset_value > 0
