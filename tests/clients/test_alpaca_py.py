"""alpaca-py, Alpaca's present client."""

import threading
import time
from datetime import timedelta

import pytest
from alpaca.data.historical.corporate_actions import CorporateActionsClient
from alpaca.data.historical.stock import StockHistoricalDataClient
from alpaca.data.requests import CorporateActionsRequest, StockBarsRequest
from alpaca.data.timeframe import TimeFrame
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import (
    CorporateActionSubType,
    CorporateActionType,
    OrderClass,
    OrderSide,
    QueryOrderStatus,
    TimeInForce,
)
from alpaca.trading.requests import (
    CreateWatchlistRequest,
    GetCorporateAnnouncementsRequest,
    GetOrdersRequest,
    GetPortfolioHistoryRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
    StopLimitOrderRequest,
    StopLossRequest,
    StopOrderRequest,
    TakeProfitRequest,
    TrailingStopOrderRequest,
)
from alpaca.trading.stream import TradingStream

from conftest import Exchange

DAY = {"side": OrderSide.BUY, "time_in_force": TimeInForce.DAY}


@pytest.fixture
def client(exchange: Exchange) -> TradingClient:
    """The client with nothing changed but its address."""
    return TradingClient(exchange.key_id, exchange.secret, url_override=exchange.url)


def test_account(client: TradingClient) -> None:
    """Balances, and settings that are read and written back."""
    assert float(client.get_account().equity) > 0
    assert not client.set_account_configurations(client.get_account_configurations()).suspend_trade


def test_order_and_fill(client: TradingClient, exchange: Exchange, symbol: str) -> None:
    """Sent, filled at the open, found by both ids, and in the history."""
    order = client.submit_order(MarketOrderRequest(symbol=symbol, qty=3, **DAY))
    exchange.move("next_open")
    assert client.get_order_by_id(order.id).filled_qty == "3"
    assert client.get_order_by_client_id(order.client_order_id).id == order.id
    assert client.get("/account/activities/FILL")[0]["order_id"] == str(order.id)


def test_order_types(client: TradingClient, symbol: str) -> None:
    """Every type is taken, and fractions and dollars with a limit."""
    requests = [
        LimitOrderRequest(symbol=symbol, qty=1, limit_price=1, **DAY),
        LimitOrderRequest(symbol=symbol, notional=10, limit_price=1, **DAY),
        StopOrderRequest(symbol=symbol, qty=0.5, stop_price=9000, **DAY),
        StopLimitOrderRequest(symbol=symbol, qty=1, stop_price=9000, limit_price=9001, **DAY),
        TrailingStopOrderRequest(symbol=symbol, qty=1, trail_percent=10, **DAY),
        MarketOrderRequest(symbol=symbol, qty=1, side=OrderSide.BUY, time_in_force=TimeInForce.IOC),
    ]
    assert [client.submit_order(request).type for request in requests] == [request.type for request in requests]


def test_bracket(client: TradingClient, exchange: Exchange, symbol: str) -> None:
    """An entry with both exits, which are its legs."""
    order = client.submit_order(
        MarketOrderRequest(
            symbol=symbol,
            qty=2,
            side=OrderSide.BUY,
            time_in_force=TimeInForce.GTC,
            order_class=OrderClass.BRACKET,
            take_profit=TakeProfitRequest(limit_price=9000),
            stop_loss=StopLossRequest(stop_price=0.5),
        )
    )
    assert [leg.status.value for leg in order.legs] == ["held", "held"]
    exchange.move("next_open")
    nested = client.get_orders(GetOrdersRequest(status=QueryOrderStatus.ALL, nested=True, limit=1))
    assert nested[0].id == order.id
    assert [leg.status.value for leg in nested[0].legs] == ["new", "held"]


def test_replace_and_cancel(client: TradingClient, symbol: str) -> None:
    """A replaced order, and all canceled."""
    order = client.submit_order(LimitOrderRequest(symbol=symbol, qty=1, limit_price=1, **DAY))
    assert client.replace_order_by_id(order.id, ReplaceOrderRequest(qty=2)).qty == "2"
    assert [one.status for one in client.cancel_orders()] == [200]


def test_positions(client: TradingClient, exchange: Exchange, symbol: str) -> None:
    """Held, read, closed."""
    client.submit_order(MarketOrderRequest(symbol=symbol, qty=3, **DAY))
    exchange.move("next_open")
    assert [one.qty for one in client.get_all_positions()] == ["3"]
    client.close_position(symbol)
    exchange.move("next_close")
    assert client.get_all_positions() == []


def test_portfolio_history(client: TradingClient) -> None:
    """A point a session."""
    found = client.get_portfolio_history(GetPortfolioHistoryRequest(period="1M", timeframe="1D"))
    assert len(found.equity) == len(found.timestamp) > 0


def test_assets_and_calendar(client: TradingClient, symbol: str) -> None:
    """Assets, the clock and the calendar."""
    assert client.get_asset(symbol).tradable
    assert len(client.get_all_assets()) > 1
    assert client.get_clock().next_open
    assert client.get_calendar()


def test_watchlists(client: TradingClient, symbol: str) -> None:
    """Made and deleted."""
    made = client.create_watchlist(CreateWatchlistRequest(name="alpaca-py", symbols=[symbol]))
    assert [one.symbol for one in made.assets] == [symbol]
    client.delete_watchlist_by_id(made.id)


def test_corporate_actions(client: TradingClient, exchange: Exchange) -> None:
    """Announcements of the older interface, and the newer one."""
    today = client.get_clock().timestamp.date()
    asked = GetCorporateAnnouncementsRequest(
        ca_types=[CorporateActionType.DIVIDEND], since=today - timedelta(days=80), until=today
    )
    assert {one.ca_sub_type for one in client.get_corporate_announcements(asked)} >= {CorporateActionSubType.CASH}
    data = CorporateActionsClient(exchange.key_id, exchange.secret, url_override=exchange.url)
    found = data.get_corporate_actions(CorporateActionsRequest(start=today - timedelta(days=80), end=today)).data
    assert found["cash_dividends"]


def test_order_stream(client: TradingClient, exchange: Exchange, symbol: str) -> None:
    """Updates arrive in order."""
    events: list[str] = []

    async def keep(update: object) -> None:
        events.append(getattr(update.event, "value", update.event))

    stream = TradingStream(
        exchange.key_id, exchange.secret, url_override=exchange.url.replace("http", "ws") + "/stream"
    )
    stream.subscribe_trade_updates(keep)
    thread = threading.Thread(target=stream.run, daemon=True)
    thread.start()
    while not events:  # until it listens
        client.cancel_order_by_id(client.submit_order(LimitOrderRequest(symbol=symbol, qty=1, limit_price=1, **DAY)).id)
        time.sleep(0.1)
    stream.stop()
    assert set(events) <= {"pending_new", "accepted", "new", "canceled"}


def test_daily_bars(exchange: Exchange, symbol: str) -> None:
    """Bars of the market data client."""
    data = StockHistoricalDataClient(exchange.key_id, exchange.secret, url_override=exchange.url)
    day = TradingClient(exchange.key_id, exchange.secret, url_override=exchange.url).get_clock().timestamp
    bars = data.get_stock_bars(
        StockBarsRequest(
            symbol_or_symbols=symbol,
            timeframe=TimeFrame.Day,
            start=day - timedelta(days=20),
            end=day - timedelta(days=1),
        )
    )
    assert len(bars.data[symbol]) > 5
