"""Lumibot's Alpaca broker, with an Alpaca client that is given to it."""

import pytest
from alpaca.trading.client import TradingClient
from lumibot.brokers import Alpaca
from lumibot.entities import Asset, Order

from conftest import Exchange

STRATEGY = "the tests"


@pytest.fixture
def broker(exchange: Exchange) -> Alpaca:
    """The broker with nothing changed but its client's address."""
    client = TradingClient(exchange.key_id, exchange.secret, url_override=exchange.url)
    config = {"API_KEY": exchange.key_id, "API_SECRET": exchange.secret, "PAPER": True}
    return Alpaca(config, connect_stream=False, start_orders_thread=False, trading_client=client)


def make_order(symbol: str, quantity: int, side: str = "buy", **terms: object) -> Order:
    """An order of the tests' strategy."""
    return Order(STRATEGY, asset=Asset(symbol), quantity=quantity, side=side, **terms)


def test_account(broker: Alpaca) -> None:
    """Cash, positions' value and net worth."""
    cash, positions, total = broker._get_balances_at_broker(Asset("USD", "forex"), None)
    assert total == pytest.approx(cash + positions)


def test_order_and_fill(broker: Alpaca, exchange: Exchange, symbol: str) -> None:
    """Sent, and filled at the open."""
    order = broker._submit_order(make_order(symbol, 3))
    exchange.move("next_open")
    found = {one["id"] if isinstance(one, dict) else str(one.id): one for one in broker._pull_broker_all_orders()}
    assert str(broker._pull_broker_order(order.identifier).status.value) == "filled"
    assert order.identifier not in found


def test_order_types(broker: Alpaca, symbol: str) -> None:
    """Every type."""
    orders = [
        make_order(symbol, 1, order_type="limit", limit_price=1),
        make_order(symbol, 1, order_type="stop", stop_price=9000),
        make_order(symbol, 1, order_type="stop_limit", stop_price=9000, stop_limit_price=9001),
        make_order(symbol, 1, order_type="trailing_stop", trail_percent=5),
    ]
    for order in orders:
        sent = broker._submit_order(order)
        assert str(broker._pull_broker_order(sent.identifier).type.value) == str(order.order_type)


def test_bracket(broker: Alpaca, symbol: str) -> None:
    """An entry with both exits."""
    order = make_order(symbol, 2, order_class="bracket", secondary_limit_price=9000, secondary_stop_price=0.5)
    sent = broker._submit_order(order)
    assert broker._pull_broker_order(sent.identifier).order_class.value == "bracket"


def test_replace_and_cancel(broker: Alpaca, symbol: str) -> None:
    """A limit that is moved, and the order canceled."""
    order = broker._submit_order(make_order(symbol, 1, order_type="limit", limit_price=1))
    first = str(order.identifier)
    broker._modify_order(order, limit_price=2)
    [moved] = broker.api.get_orders()
    assert (str(moved.limit_price), str(moved.replaces)) == ("2", first)
    broker.cancel_order(order)
    assert broker.api.get_orders() == []


def test_positions(broker: Alpaca, exchange: Exchange, symbol: str) -> None:
    """Held and read."""
    broker._submit_order(make_order(symbol, 3))
    exchange.move("next_open")
    assert [(one.symbol, one.qty) for one in broker._pull_broker_positions()] == [(symbol, "3")]


def test_assets_and_calendar(broker: Alpaca) -> None:
    """The clock."""
    assert broker.get_time_to_open() is not None
    assert broker.is_market_open() in {True, False}
