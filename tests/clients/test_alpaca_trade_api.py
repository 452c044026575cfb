"""alpaca-trade-api, Alpaca's former client, which much older code uses."""

import asyncio
import threading
import time

import alpaca_trade_api
import pytest
from alpaca_trade_api.stream import TradingStream

from conftest import Exchange


@pytest.fixture
def client(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> alpaca_trade_api.REST:
    """The client with nothing changed but its addresses."""
    monkeypatch.setenv("APCA_API_DATA_URL", exchange.url)
    return alpaca_trade_api.REST(exchange.key_id, exchange.secret, exchange.url, api_version="v2")


def test_account(client: alpaca_trade_api.REST) -> None:
    """Balances and settings."""
    assert float(client.get_account().equity) > 0
    assert not client.get_account_configurations().suspend_trade


def test_order_and_fill(client: alpaca_trade_api.REST, exchange: Exchange, symbol: str) -> None:
    """Sent, filled at the open, found by both ids, and in the history."""
    order = client.submit_order(symbol=symbol, qty=3)
    exchange.move("next_open")
    assert client.get_order(order.id).filled_qty == "3"
    assert client.get_order_by_client_order_id(order.client_order_id).id == order.id
    assert client.get_activities("FILL")[0].order_id == order.id


def test_order_types(client: alpaca_trade_api.REST, symbol: str) -> None:
    """Every type, and dollars."""
    common = {"symbol": symbol, "side": "buy", "time_in_force": "day"}
    made = [
        client.submit_order(**common, qty=1, type="limit", limit_price=1),
        client.submit_order(**common, qty=1, type="stop", stop_price=9000),
        client.submit_order(**common, qty=1, type="stop_limit", stop_price=9000, limit_price=9001),
        client.submit_order(**common, qty=1, type="trailing_stop", trail_price=5),
        client.submit_order(**common, notional=100, type="market"),
    ]
    assert [one.type for one in made] == ["limit", "stop", "stop_limit", "trailing_stop", "market"]


def test_bracket(client: alpaca_trade_api.REST, symbol: str) -> None:
    """An entry with both exits."""
    order = client.submit_order(
        symbol=symbol,
        qty=2,
        side="buy",
        type="market",
        time_in_force="gtc",
        order_class="bracket",
        take_profit={"limit_price": 9000},
        stop_loss={"stop_price": 0.5, "limit_price": 0.4},
    )
    assert [leg.type for leg in order.legs] == ["limit", "stop_limit"]


def test_replace_and_cancel(client: alpaca_trade_api.REST, symbol: str) -> None:
    """A replaced order, and all canceled."""
    order = client.submit_order(symbol=symbol, qty=1, type="limit", limit_price=1)
    assert client.replace_order(order.id, qty=2).qty == "2"
    client.cancel_all_orders()
    assert client.list_orders() == []


def test_positions(client: alpaca_trade_api.REST, exchange: Exchange, symbol: str) -> None:
    """Held, read, closed."""
    client.submit_order(symbol=symbol, qty=3)
    exchange.move("next_open")
    assert client.get_position(symbol).qty == "3"
    client.close_all_positions()
    exchange.move("next_close")
    assert client.list_positions() == []


def test_portfolio_history(client: alpaca_trade_api.REST) -> None:
    """A point a session."""
    assert len(client.get_portfolio_history(period="1M", timeframe="1D").equity) > 0


def test_assets_and_calendar(client: alpaca_trade_api.REST, symbol: str) -> None:
    """Assets, the clock and the calendar."""
    assert client.get_asset(symbol).tradable
    assert len(client.list_assets(status="active")) > 1
    assert client.get_clock().next_open
    assert len(client.get_calendar("2025-01-08", "2025-01-10")) == 2


def test_watchlists(client: alpaca_trade_api.REST, symbol: str) -> None:
    """Made, added to, and deleted."""
    made = client.create_watchlist("alpaca-trade-api", [])
    assert [one["symbol"] for one in client.add_to_watchlist(made.id, symbol).assets] == [symbol]
    client.delete_watchlist(made.id)


def test_order_stream(client: alpaca_trade_api.REST, exchange: Exchange, symbol: str) -> None:
    """Updates arrive in order."""
    events: list[str] = []

    async def keep(update: object) -> None:
        events.append(update.event)

    stream = TradingStream(exchange.key_id, exchange.secret, exchange.url)
    stream.subscribe_trade_updates(keep)
    thread = threading.Thread(target=asyncio.run, args=(stream._run_forever(),), daemon=True)
    thread.start()
    while not events:  # until it listens
        client.cancel_order(client.submit_order(symbol=symbol, qty=1, type="limit", limit_price=1).id)
        time.sleep(0.1)
    asyncio.run_coroutine_threadsafe(stream.stop_ws(), stream._loop).result()
    assert set(events) <= {"pending_new", "accepted", "new", "canceled"}


def test_daily_bars(client: alpaca_trade_api.REST, symbol: str) -> None:
    """Bars of the data API."""
    bars = client.get_bars(symbol, "1Day", "2024-06-03", "2024-06-14", feed="sip")
    assert len(bars) == 10
