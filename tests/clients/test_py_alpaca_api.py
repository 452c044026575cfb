"""py-alpaca-api, which sends every field of an order, most of them null."""

import pytest
from py_alpaca_api import PyAlpacaAPI

from conftest import Exchange


@pytest.fixture
def client(exchange: Exchange) -> PyAlpacaAPI:
    """The client with nothing changed but its addresses."""
    made = PyAlpacaAPI(exchange.key_id, exchange.secret)
    trading = made.trading
    parts = (
        trading.account,
        trading.corporate_actions,
        trading.market,
        trading.positions,
        trading.orders,
        trading.watchlists,
    )
    for part in (*parts, made.stock.assets):
        part.base_url = exchange.url + "/v2"
    return made


def test_account(client: PyAlpacaAPI) -> None:
    """Balances and settings."""
    assert client.trading.account.get().equity > 0
    assert not client.trading.account.get_configuration().suspend_trade


def test_order_and_fill(client: PyAlpacaAPI, exchange: Exchange, symbol: str) -> None:
    """Sent, filled at the open, and found by the client's id."""
    order = client.trading.orders.market(symbol=symbol, qty=3, client_order_id=f"py-{symbol}-{id(client)}")
    exchange.move("next_open")
    assert client.trading.orders.get_by_id(order.id).filled_qty == 3
    assert client.trading.orders.get_by_client_order_id(order.client_order_id).id == order.id
    assert client.trading.account.activities("FILL")[0].order_id == order.id


def test_order_types(client: PyAlpacaAPI, symbol: str) -> None:
    """Every type, and dollars."""
    orders = client.trading.orders
    made = [
        orders.limit(symbol=symbol, limit_price=1, qty=1),
        orders.stop(symbol=symbol, stop_price=9000, qty=1),
        orders.stop_limit(symbol=symbol, stop_price=9000, limit_price=9001, qty=1),
        orders.trailing_stop(symbol=symbol, qty=1, trail_percent=5),
        orders.market(symbol=symbol, notional=100),
    ]
    assert [one.order_type for one in made] == ["limit", "stop", "stop_limit", "trailing_stop", "market"]


def test_bracket(client: PyAlpacaAPI, symbol: str) -> None:
    """An entry with both exits."""
    order = client.trading.orders.market(symbol=symbol, qty=2, take_profit=9000, stop_loss=0.5)
    assert order.order_class == "bracket"


def test_replace_and_cancel(client: PyAlpacaAPI, symbol: str) -> None:
    """A replaced order, and all canceled."""
    order = client.trading.orders.limit(symbol=symbol, limit_price=1, qty=1)
    assert client.trading.orders.replace_order(order.id, qty=2).qty == 2
    assert "1 orders" in client.trading.orders.cancel_all()


def test_positions(client: PyAlpacaAPI, exchange: Exchange, symbol: str) -> None:
    """Held, read, closed."""
    client.trading.orders.market(symbol=symbol, qty=3)
    exchange.move("next_open")
    assert client.trading.positions.get(symbol).qty == 3
    client.trading.positions.close(symbol, percentage=100)


def test_portfolio_history(client: PyAlpacaAPI) -> None:
    """A row a session."""
    assert client.trading.account.portfolio_history(period="1M", timeframe="1D").shape[0] > 0


def test_assets_and_calendar(client: PyAlpacaAPI, symbol: str) -> None:
    """An asset, the clock and the calendar."""
    assert client.stock.assets.get(symbol).tradable
    assert client.trading.market.clock().is_open in {True, False}
    assert client.trading.market.calendar("2025-01-08", "2025-01-10").shape[0] == 2


def test_watchlists(client: PyAlpacaAPI, symbol: str) -> None:
    """Made, read and deleted."""
    made = client.trading.watchlists.create(name="py-alpaca-api", symbols=symbol)
    assert client.trading.watchlists.get(watchlist_id=made.id).name == "py-alpaca-api"
    client.trading.watchlists.delete(watchlist_id=made.id)


def test_corporate_actions(client: PyAlpacaAPI) -> None:
    """Announcements of dividends."""
    found = client.trading.corporate_actions.get_announcements("2024-10-01", "2024-12-20", ca_types=["dividend"])
    assert found
