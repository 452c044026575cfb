"""The trading API through the unmodified alpaca-py client, over real HTTP, against a real process."""

# alpaca-py annotates its raw methods and its errors only in part
# pyright: reportUnknownMemberType=false

import json
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from alpaca.common.enums import Sort
from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import AssetStatus, OrderSide, OrderStatus, QueryOrderStatus, TimeInForce
from alpaca.trading.models import AccountConfiguration, Asset, Calendar, Clock, Order, Position, TradeAccount
from alpaca.trading.requests import (
    ClosePositionRequest,
    GetAssetsRequest,
    GetCalendarRequest,
    GetOrdersRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
)

from applications.exchange.tests.exchange_kit import HTTP, KEY_ID, SECRET, Server

HEADERS = {"APCA-API-KEY-ID": KEY_ID, "APCA-API-SECRET-KEY": SECRET}

# Keys of the broker's answers as recorded by users of the paper API, without those removed on 2026-07-06.
ACCOUNT_KEYS = """id admin_configurations user_configurations account_number status crypto_status options_approved_level
    options_trading_level currency buying_power regt_buying_power effective_buying_power non_marginable_buying_power
    options_buying_power bod_dtbp cash accrued_fees portfolio_value trading_blocked transfers_blocked account_blocked
    created_at trade_suspended_by_user multiplier shorting_enabled equity last_equity long_market_value
    short_market_value position_market_value initial_margin maintenance_margin last_maintenance_margin sma balance_asof
    crypto_tier intraday_adjustments pending_reg_taf_fees"""
ORDER_KEYS = """id client_order_id created_at updated_at submitted_at filled_at expired_at canceled_at failed_at
    replaced_at replaced_by replaces asset_id symbol asset_class notional qty filled_qty filled_avg_price order_class
    order_type type side position_intent time_in_force limit_price stop_price status extended_hours legs trail_percent
    trail_price hwm subtag source expires_at"""
POSITION_KEYS = """asset_id symbol exchange asset_class asset_marginable qty avg_entry_price side market_value
    cost_basis unrealized_pl unrealized_plpc unrealized_intraday_pl unrealized_intraday_plpc current_price lastday_price
    change_today qty_available"""
ASSET_KEYS = """id class exchange symbol name status tradable marginable maintenance_margin_requirement
    margin_requirement_long margin_requirement_short shortable easy_to_borrow borrow_status fractionable attributes"""
FILL_KEYS = "activity_type cum_qty id leaves_qty order_id order_status price qty side symbol transaction_time type"


@pytest.fixture
def client(server: Server) -> Iterator[TradingClient]:
    """The client, with nothing left over from the test before."""
    trading = server.client()
    yield trading
    trading.cancel_orders()
    trading.patch("/account/configurations", {"suspend_trade": False, "no_shorting": False})
    if trading.get_all_positions():
        trading.close_all_positions(cancel_orders=True)
        server.move("next_open")


@pytest.fixture
def tickers(client: TradingClient) -> list[str]:
    """Tickers that can be bought and shorted."""
    assets = client.get_all_assets(GetAssetsRequest(status=AssetStatus.ACTIVE))
    return [asset.symbol for asset in assets if isinstance(asset, Asset) and asset.shortable and asset.fractionable]


def raw(server: Server, method: str, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own arguments
    """A request without the client library."""
    return HTTP.request(method, f"{server.url}/v2/{path}", headers=HEADERS, timeout=30, **more)


def post_order(server: Server, **terms: object) -> httpx.Response:
    """POST /v2/orders as it goes over the wire."""
    return raw(server, "POST", "orders", json=terms)


def market(symbol: str, quantity: float, side: OrderSide = OrderSide.BUY, **more: Any) -> MarketOrderRequest:  # noqa: ANN401
    """A market order for the day."""
    return MarketOrderRequest(symbol=symbol, qty=quantity, side=side, time_in_force=TimeInForce.DAY, **more)


def send(client: TradingClient, request: Any) -> Order:  # noqa: ANN401 - any of the client's requests
    """Submits; the client's own model."""
    order = client.submit_order(request)
    assert isinstance(order, Order)
    return order


def now(client: TradingClient, order: Order) -> Order:
    """The order as it is now."""
    found = client.get_order_by_id(order.id)
    assert isinstance(found, Order)
    return found


def test_account(server: Server, client: TradingClient) -> None:
    """A fresh account has its cash, twice that of buying power, and every key of the real body."""
    account = client.get_account()
    assert isinstance(account, TradeAccount)
    assert account.equity == account.cash == account.portfolio_value
    assert Decimal(account.buying_power or 0) == 2 * Decimal(account.cash or 0)
    assert set(ACCOUNT_KEYS.split()) == set(raw(server, "GET", "account").json())


def test_order_life(server: Server, client: TradingClient, tickers: list[str]) -> None:
    """pending_new, accepted, filled at the next open; found by both ids; the position and the history follow."""
    order = send(client, market(tickers[0], 10, client_order_id="order-life"))
    assert (OrderStatus.PENDING_NEW, "0") == (order.status, order.filled_qty)
    assert now(client, order).status is OrderStatus.ACCEPTED
    server.move("next_open")
    filled = client.get_order_by_client_id("order-life")
    assert isinstance(filled, Order)
    assert (order.id, OrderStatus.FILLED, "10") == (filled.id, filled.status, filled.filled_qty)
    position = client.get_open_position(tickers[0])
    assert isinstance(position, Position)
    assert ("10", filled.filled_avg_price) == (position.qty, position.avg_entry_price)
    bodies = [raw(server, "GET", path).json() for path in (f"orders/{order.id}", f"positions/{tickers[0]}")]
    assert [set(ORDER_KEYS.split()), set(POSITION_KEYS.split())] == [set(body) for body in bodies]
    assert bodies[0]["order_class"] == ""
    newest = raw(server, "GET", "account/activities/FILL").json()[0]
    assert (set(FILL_KEYS.split()), str(order.id), "10") == (set(newest), newest["order_id"], newest["qty"])
    digits, _, rest = newest["id"].partition("::")
    assert (17, 36) == (len(digits), len(rest))


def test_short_is_negative(server: Server, client: TradingClient, tickers: list[str]) -> None:
    """Quantity, market value and cost basis of a short are negative; cash holds the proceeds."""
    send(client, market(tickers[1], 7, OrderSide.SELL))
    server.move("next_open")
    position = client.get_open_position(tickers[1])
    account = client.get_account()
    assert isinstance(position, Position)
    assert isinstance(account, TradeAccount)
    assert ("-7", "short") == (position.qty, position.side.value)
    assert Decimal(position.market_value or 0) < 0 > Decimal(position.cost_basis)
    assert Decimal(account.equity or 0) == Decimal(account.cash or 0) + Decimal(
        account.short_market_value or 0
    ) + Decimal(account.long_market_value or 0)


def test_notional_order(server: Server, client: TradingClient, tickers: list[str]) -> None:
    """Dollars buy fractions; the body's qty is null."""
    body = post_order(server, symbol=tickers[0], notional=123.45, side="buy", type="market", time_in_force="day").json()
    assert (None, "123.45") == (body["qty"], body["notional"])
    server.move("next_open")
    filled = client.get_order_by_id(body["id"])
    assert isinstance(filled, Order)
    spent = Decimal(str(filled.filled_qty)) * Decimal(str(filled.filled_avg_price))
    assert Decimal("123.44") < spent <= Decimal("123.45")
    assert filled.status is OrderStatus.FILLED


def test_list_orders(client: TradingClient, tickers: list[str]) -> None:
    """Status, side, symbols, limit, direction and time each select as documented; pages by time do not overlap."""
    sent = [send(client, market(ticker, 1)) for ticker in tickers[:3]]
    canceled = send(client, market(tickers[3], 1, OrderSide.SELL))
    client.cancel_order_by_id(canceled.id)

    def ids(**filters: Any) -> list[Any]:  # noqa: ANN401 - the client's own filters
        found = client.get_orders(GetOrdersRequest(**filters))
        return [order.id for order in found if isinstance(order, Order)]

    assert [order.id for order in sent[::-1]] == ids()
    assert [order.id for order in sent] == ids(direction="asc")
    assert [sent[1].id] == ids(symbols=[tickers[1]])
    assert canceled.id in ids(status=QueryOrderStatus.CLOSED)
    assert canceled.id == ids(status=QueryOrderStatus.ALL, limit=1)[0]
    assert [] == ids(side=OrderSide.SELL)
    assert [sent[2].id] == ids(after=sent[1].submitted_at)
    assert [sent[0].id] == ids(until=sent[1].submitted_at)


def test_pages_of_orders(server: Server, client: TradingClient, tickers: list[str]) -> None:
    """All orders since a moment, page by page in the order of submission: none twice, none left out, in any status."""
    server.move("next_close")
    first = send(client, market(tickers[0], 1))
    sent = [send(client, market(tickers[number % 3], 1)) for number in range(7)]
    for order in sent[::2]:
        client.cancel_order_by_id(order.id)
    pages: list[Order] = []
    newest = first
    while True:
        request = GetOrdersRequest(status=QueryOrderStatus.ALL, after=newest.submitted_at, direction=Sort.ASC, limit=3)
        page = [order for order in client.get_orders(request) if isinstance(order, Order)]
        if not page:
            break
        pages += page
        newest = page[-1]
    assert [order.id for order in sent] == [order.id for order in pages]
    assert [OrderStatus.CANCELED, OrderStatus.ACCEPTED] == [order.status for order in pages[:2]]


def test_cancel_before_the_open(server: Server, client: TradingClient, tickers: list[str]) -> None:
    """An accepted order can be canceled until its auction: it never fills, and its buying power is free at once."""
    server.move("next_close")
    account = client.get_account()
    order = send(client, market(tickers[0], 10))
    assert now(client, order).status is OrderStatus.ACCEPTED
    held = client.get_account()
    client.cancel_order_by_id(order.id)
    freed = client.get_account()
    assert isinstance(account, TradeAccount)
    assert isinstance(held, TradeAccount)
    assert isinstance(freed, TradeAccount)
    assert account.buying_power == freed.buying_power != held.buying_power
    assert account.regt_buying_power == freed.regt_buying_power == freed.buying_power
    server.move("next_open")
    canceled = now(client, order)
    assert (OrderStatus.CANCELED, "0") == (canceled.status, canceled.filled_qty)


def test_cancel(server: Server, client: TradingClient, tickers: list[str]) -> None:
    """One: 204 without a body; again: 422; all: 207."""
    orders = [send(client, market(ticker, 1)) for ticker in tickers[:3]]
    answer = raw(server, "DELETE", f"orders/{orders[0].id}")
    assert (204, b"") == (answer.status_code, answer.content)
    again = raw(server, "DELETE", f"orders/{orders[0].id}")
    assert (422, 42210000) == (again.status_code, again.json()["code"])
    rest = raw(server, "DELETE", "orders")
    assert (207, {str(order.id) for order in orders[1:]}) == (rest.status_code, {one["id"] for one in rest.json()})


def test_replace(client: TradingClient, tickers: list[str]) -> None:
    """The new order replaces the old one, which says so."""
    old = send(
        client,
        LimitOrderRequest(symbol=tickers[0], qty=5, side="buy", time_in_force="day", limit_price=2.5),
    )
    new = client.replace_order_by_id(old.id, ReplaceOrderRequest(qty=6, limit_price=2.75))
    assert isinstance(new, Order)
    assert ("6", "2.75", old.id) == (new.qty, new.limit_price, new.replaces)
    replaced = now(client, old)
    assert (OrderStatus.REPLACED, new.id) == (replaced.status, replaced.replaced_by)


def test_close_positions(server: Server, client: TradingClient, tickers: list[str]) -> None:
    """Half of one by percentage, the rest of all with 207; what is already for sale is not sold twice."""
    for ticker, side in ((tickers[0], OrderSide.BUY), (tickers[1], OrderSide.SELL)):
        send(client, market(ticker, 10, side))
    server.move("next_open")
    half = client.close_position(tickers[0], ClosePositionRequest(percentage="50"))
    assert isinstance(half, Order)
    assert ("5", OrderSide.SELL) == (half.qty, half.side)
    entries = {entry["symbol"]: entry for entry in raw(server, "DELETE", "positions").json()}
    assert (403, 200) == (entries[tickers[0]]["status"], entries[tickers[1]]["status"])
    assert ("5", "10") == (entries[tickers[0]]["body"]["available"], entries[tickers[0]]["body"]["existing_qty"])
    closed = client.close_all_positions(cancel_orders=True)
    assert {200} == {getattr(entry, "status", None) for entry in closed}
    server.move("next_close")
    assert [] == client.get_all_positions()


def test_assets_clock_and_calendar(server: Server, client: TradingClient) -> None:
    """Assets by symbol and id; the clock is the exchange's; the calendar has the day of mourning and early closes."""
    listed = client.get_all_assets()
    first = next(iter(listed))
    assert isinstance(first, Asset)
    assert first == client.get_asset(first.symbol) == client.get_asset(str(first.id))
    assert set(ASSET_KEYS.split()) == set(raw(server, "GET", f"assets/{first.symbol}").json())
    clock = client.get_clock()
    assert isinstance(clock, Clock)
    state = HTTP.get(f"{server.url}/control/state").json()
    assert datetime.fromisoformat(state["timestamp"]) == clock.timestamp
    days = client.get_calendar(GetCalendarRequest(start=date(2025, 1, 8), end=date(2025, 1, 10)))
    assert [8, 10] == [day.date.day for day in days if isinstance(day, Calendar)]
    eve = raw(server, "GET", "calendar?start=2024-12-24&end=2024-12-24").json()[0]
    assert ("09:30", "13:00", "2024-12-26") == (eve["open"], eve["close"], eve["settlement_date"])


def test_suspend_trade(client: TradingClient, tickers: list[str]) -> None:
    """The kill switch refuses every new order until it is set back, through the client's own model."""
    switches = client.get_account_configurations()
    assert isinstance(switches, AccountConfiguration)
    client.set_account_configurations(switches.model_copy(update={"suspend_trade": True}))
    with pytest.raises(APIError, match="new orders are rejected by user request") as refusal:
        client.submit_order(market(tickers[0], 1))
    assert (403, 40310000) == (refusal.value.status_code, json.loads(str(refusal.value))["code"])
    account = client.get_account()
    assert isinstance(account, TradeAccount)
    assert account.trade_suspended_by_user


def test_activities_pages(server: Server, client: TradingClient, tickers: list[str]) -> None:
    """`page_token` is the last row's id; pages neither overlap nor leave anything out."""
    for ticker in tickers[:3]:
        send(client, market(ticker, 2))
    server.move("next_close")
    whole = raw(server, "GET", "account/activities", params={"direction": "asc"}).json()
    pages: list[dict[str, Any]] = []
    while True:
        token = {"page_token": pages[-1]["id"]} if pages else {}
        page = raw(server, "GET", "account/activities", params={"direction": "asc", "page_size": 2, **token}).json()
        if not page:
            break
        pages += page
    assert whole == pages[: len(whole)]
    assert len({row["id"] for row in pages}) == len(pages)
    assert {"FILL"} == {row["activity_type"] for row in raw(server, "GET", "account/activities/FILL").json()}


REFUSALS: list[tuple[str, dict[str, object], int, int, str]] = [
    ("unknown symbol", {"symbol": "NOSUCH"}, 422, 42210000, 'asset "NOSUCH" not found'),
    ("neither qty nor notional", {"qty": None}, 422, 40010001, "qty or notional is required"),
    ("both", {"notional": 10}, 422, 40010001, "only one of qty or notional is accepted"),
    ("no side", {"side": None}, 422, 40010001, "side is required"),
    ("wrong side", {"side": "hold"}, 422, 40010001, "side is invalid"),
    ("zero", {"qty": 0}, 422, 40010001, "qty is invalid"),
    ("negative", {"qty": "-1"}, 422, 40010001, "qty is invalid"),
    ("no number", {"qty": "ten"}, 422, 40010001, "qty is invalid"),
    ("endless number", {"qty": "1e999999"}, 422, 40010001, "qty is invalid"),
    ("unknown type", {"type": "iceberg"}, 422, 40010001, "type is invalid"),
    ("stop on market", {"stop_price": 9}, 422, 42210000, "market orders must not have stop_price"),
    ("several legs", {"legs": [{"symbol": "X"}]}, 422, 40010001, "legs is invalid"),
    ("class of options", {"order_class": "mleg"}, 422, 40010001, "order_class is invalid"),
    ("bracket", {"order_class": "bracket"}, 422, 40010001, "bracket orders require take_profit.limit_price"),
    ("extended hours", {"extended_hours": True}, 422, 42210000, "extended hours order must be DAY or GTC limit"),
    ("long client id", {"client_order_id": "x" * 129}, 422, 40010001, "client_order_id is invalid"),
    ("limit without price", {"type": "limit"}, 422, 42210000, "limit orders require limit_price"),
    ("sub-penny", {"type": "limit", "limit_price": 10.123}, 422, 42210000, "sub-penny increment"),
    ("price on market", {"limit_price": 10}, 422, 42210000, "market orders must not have limit_price"),
    ("fractional short", {"qty": 0.5, "side": "sell"}, 422, 42210000, "fractional orders cannot be sold short"),
    ("fractional gtc", {"qty": 0.5, "time_in_force": "gtc"}, 422, 42210000, "fractional orders must be DAY orders"),
    ("too dear", {"qty": 1000000}, 403, 40310000, "insufficient buying power"),
    ("wrong intent", {"position_intent": "buy_to_close"}, 422, 42210000, "position intent mismatch"),
]


@pytest.mark.parametrize(("_", "change", "status", "code", "message"), REFUSALS, ids=[one[0] for one in REFUSALS])
def test_refusals(  # noqa: PLR0913, PLR0917 - a table's columns
    server: Server,
    tickers: list[str],
    _: str,
    change: dict[str, object],
    status: int,
    code: int,
    message: str,
) -> None:
    """Each wrong order is refused with the broker's status, code and words, and leaves nothing behind."""
    terms = {"symbol": tickers[0], "qty": 1, "side": "buy", "type": "market", "time_in_force": "day"} | change
    before = len(server.control("GET", "orders").json()["orders"])
    answer = post_order(server, **{name: value for name, value in terms.items() if value is not None})
    assert (status, code) == (answer.status_code, answer.json()["code"]), answer.text
    assert message in answer.json()["message"]
    assert before == len(server.control("GET", "orders").json()["orders"])


def test_unique_client_order_id(client: TradingClient, server: Server, tickers: list[str]) -> None:
    """The second order of the same name is refused; there is one."""
    send(client, market(tickers[0], 1, client_order_id="only-once"))
    with pytest.raises(APIError) as refusal:
        client.submit_order(market(tickers[0], 1, client_order_id="only-once"))
    assert (422, 40010001) == (refusal.value.status_code, json.loads(str(refusal.value))["code"])
    names = [order["client_order_id"] for order in server.control("GET", "orders").json()["orders"]]
    assert names.count("only-once") == 1


def test_never_through_zero(client: TradingClient, server: Server, tickers: list[str]) -> None:
    """Selling more than is held is refused with what is available, also while another sale holds it."""
    send(client, market(tickers[0], 10))
    server.move("next_open")
    answer = post_order(server, symbol=tickers[0], qty=15, side="sell", type="market", time_in_force="day")
    expected = {"available": "10", "existing_qty": "10", "held_for_orders": "0", "symbol": tickers[0]}
    assert (403, expected) == (answer.status_code, {name: answer.json()[name] for name in expected})
    send(client, market(tickers[0], 8, OrderSide.SELL))
    answer = post_order(server, symbol=tickers[0], qty=3, side="sell", type="market", time_in_force="day")
    assert ("2", "8") == (answer.json()["available"], answer.json()["held_for_orders"])


def test_wash_trade(client: TradingClient, server: Server, tickers: list[str]) -> None:
    """An order against one's own open order is refused, and names it; so is a short beside an open purchase."""
    terms = {"symbol": tickers[0], "qty": 1, "type": "market", "time_in_force": "day"}
    send(client, market(tickers[0], 1))
    answer = post_order(server, **terms, side="sell")
    sentence = "cannot open a short sell while a long buy order is open"
    assert (403, {"code": 40310000, "message": sentence}) == (answer.status_code, answer.json())
    server.move("next_open")
    first = send(client, market(tickers[0], 1, OrderSide.SELL))
    answer = post_order(server, **terms, side="buy")
    assert (403, str(first.id)) == (answer.status_code, answer.json()["existing_order_id"])
    assert "opposite side market/stop order exists" == answer.json()["reject_reason"]


def test_not_shortable(server: Server, client: TradingClient) -> None:
    """The borrow list and the account's own switch each refuse a short."""
    assets = [
        asset
        for asset in client.get_all_assets(GetAssetsRequest(status=AssetStatus.ACTIVE))
        if isinstance(asset, Asset)
    ]
    closed = [asset.symbol for asset in assets if not asset.shortable]
    terms: dict[str, object] = {"qty": 1, "side": "sell", "type": "market", "time_in_force": "day"}
    assert "cannot be sold short" in post_order(server, symbol=closed[0], **terms).json()["message"]
    client.patch("/account/configurations", {"no_shorting": True})
    open_symbol = next(asset.symbol for asset in assets if asset.shortable)
    assert post_order(server, symbol=open_symbol, **terms).status_code == 403


def test_auction_windows(server: Server, client: TradingClient, tickers: list[str]) -> None:
    """Auction orders (opg, cls) are refused right after the close, and taken from 19:00 New York on."""
    server.move("next_close")
    for force in ("opg", "cls"):
        answer = post_order(server, symbol=tickers[0], qty=1, side="buy", type="market", time_in_force=force)
        assert (403, 40310000) == (answer.status_code, answer.json()["code"])
    clock = client.get_clock()
    assert isinstance(clock, Clock)
    evening = clock.timestamp.replace(hour=19, minute=0)
    server.control("POST", "clock", timestamp=evening.isoformat()).raise_for_status()
    opening, closing = (
        send(client, MarketOrderRequest(symbol=tickers[0], qty=1, side="buy", time_in_force=force))
        for force in ("opg", "cls")
    )
    server.move("next_open")
    assert [OrderStatus.FILLED, OrderStatus.NEW] == [now(client, opening).status, now(client, closing).status]
    server.move("next_close")
    assert now(client, closing).status is OrderStatus.FILLED


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "orders/00000000-0000-0000-0000-000000000000", 404, 40410000),
        ("GET", "orders:by_client_order_id?client_order_id=nobody", 404, 40410000),
        ("DELETE", "orders/00000000-0000-0000-0000-000000000000", 404, 40410000),
        ("GET", "positions/NOSUCH", 404, 40410000),
        ("DELETE", "positions/NOSUCH", 404, 40410000),
        ("GET", "assets/NOSUCH", 404, 40410000),
        ("GET", "orders?status=maybe", 422, 40010001),
        ("GET", "orders?limit=501", 422, 40010001),
        ("GET", "orders?after=yesterday", 422, 40010001),
        ("GET", "orders:by_client_order_id", 422, 40010001),
        ("GET", "calendar?start=2025-01-10&end=2025-01-01", 422, 40010001),
        ("GET", "calendar?start=christmas", 422, 40010001),
        ("GET", "account/activities?page_token=nothing", 422, 40010001),
    ],
)
def test_wrong_questions(server: Server, method: str, path: str, status: int, code: int) -> None:
    """What is not there or cannot be read is answered in Alpaca's shape, not with problem details."""
    answer = raw(server, method, path)
    assert (status, code) == (answer.status_code, answer.json()["code"])
    assert set(answer.json()) == {"code", "message"}


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'{"qty": NaN}', b"[" * 100_000])
def test_bodies_that_are_none(server: Server, body: bytes) -> None:
    """A body that is no JSON object is 400."""
    for method, path in (("POST", "orders"), ("PATCH", "account/configurations")):
        answer = raw(server, method, path, content=body)
        assert (400, 40010000) == (answer.status_code, answer.json()["code"])


@pytest.mark.parametrize("change", [{"suspend_trade": "perhaps"}, {"suspend": True}, {"max_margin_multiplier": "3"}])
def test_wrong_switches(server: Server, change: dict[str, object]) -> None:
    """A switch that is unknown or set to nonsense is refused, and nothing changes."""
    before = raw(server, "GET", "account/configurations").json()
    answer = raw(server, "PATCH", "account/configurations", json=change)
    assert (422, 40010001) == (answer.status_code, answer.json()["code"])
    assert before == raw(server, "GET", "account/configurations").json()


@pytest.mark.parametrize(("key", "secret"), [("PKWRONG", SECRET), (KEY_ID, "wrong"), ("", ""), ("PK\u00e9", SECRET)])
def test_unauthorized(server: Server, key: str, secret: str) -> None:
    """Any other key pair: 401 with a message and no code, whatever the path or body."""
    headers = {b"APCA-API-KEY-ID": key.encode(), b"APCA-API-SECRET-KEY": secret.encode()}
    for method, path in (("GET", "account"), ("POST", "orders"), ("GET", "orders?limit=x")):
        answer = HTTP.request(method, f"{server.url}/v2/{path}", headers=headers)
        assert (401, {"message": "unauthorized."}) == (answer.status_code, answer.json())
