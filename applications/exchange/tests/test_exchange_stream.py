"""The stream of order updates: through the unmodified alpaca-py client, and frame by frame over a plain websocket."""

# alpaca-py annotates its stream's handler and loop only in part, msgpack and websockets' headers not at all
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

import json
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, cast

import msgpack
import pytest
from alpaca.trading.models import Order, TradeUpdate
from alpaca.trading.stream import TradingStream
from websockets.sync.client import ClientConnection, connect

from applications.exchange.tests.exchange_in_process import LocalExchange, run_exchange
from applications.exchange.tests.exchange_kit import KEY_ID, SECRET
from exchange.responses.alpaca_stream import StreamMessage
from exchange.stream_hub import OUTBOX_LIMIT, Outbox
from exchange.trade_updates import order_events, trade_updates
from internal.venue.clock import Auction
from internal.venue.core import open_venue
from internal.venue.orders import OrderChanges
from internal.venue.repository import InMemoryRepository
from internal.venue.state import VenueChange, open_account
from libraries.python.tests.venue.test_venue_order_types import ask
from libraries.python.tests.venue.venue_kit import hand_market

LOGIN = {"action": "authenticate", "data": {"key_id": KEY_ID, "secret_key": SECRET}}
LISTEN = {"action": "listen", "data": {"streams": ["trade_updates"]}}


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalExchange]:
    """One exchange for the module."""
    with run_exchange(tmp_path_factory.mktemp("exchange") / "state") as running:
        yield running


@pytest.fixture(scope="module")
def symbol(exchange: LocalExchange) -> str:
    """A ticker that can be traded."""
    assets = exchange.trade("GET", "/v2/assets", params={"status": "active"}).json()
    return str(next(asset["symbol"] for asset in assets if asset["shortable"]))


@contextmanager
def connected(exchange: LocalExchange, *messages: object, **options: Any) -> Generator[ClientConnection]:  # noqa: ANN401 - websockets' own
    """A plain client that has sent these messages."""
    with connect(f"{exchange.url.replace('http', 'ws')}/stream", **options) as socket:
        for message in messages:
            socket.send(json.dumps(message))
        yield socket


def read(socket: ClientConnection) -> dict[str, Any]:
    """The next frame, which is binary."""
    frame = socket.recv(timeout=10)
    assert isinstance(frame, bytes)
    return cast("dict[str, Any]", json.loads(frame))


def until(condition: Callable[[], bool]) -> None:
    """Waits for the condition."""
    deadline = time.monotonic() + 120
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition()


def test_alpaca_py(exchange: LocalExchange, symbol: str) -> None:
    """The unmodified client gets what happened to an order, as its own models, in order."""
    updates: list[TradeUpdate] = []

    async def keep(update: TradeUpdate) -> None:
        updates.append(update)

    stream = TradingStream(KEY_ID, SECRET, url_override=f"{exchange.url.replace('http', 'ws')}/stream")
    stream.subscribe_trade_updates(keep)
    thread = threading.Thread(target=stream.run)
    thread.start()
    try:
        until(lambda: len(exchange.exchange.updates.listeners) == 1)
        exchange.order(symbol=symbol, qty="7", client_order_id="streamed").raise_for_status()
        exchange.move("next_open")
        until(lambda: len(updates) == 4)
    finally:
        stream.stop()  # it takes notice after the next update
        exchange.order(symbol=symbol)
        thread.join()
    assert ["pending_new", "accepted", "new", "fill"] == [
        str(getattr(one.event, "value", one.event)) for one in updates[:4]
    ]
    fill = updates[3]
    assert isinstance(fill.order, Order)
    assert (7, 7, "streamed", "7") == (fill.qty, fill.position_qty, fill.order.client_order_id, fill.order.filled_qty)
    assert str(fill.price) == str(float(fill.order.filled_avg_price or 0))


def test_wrong_key(exchange: LocalExchange) -> None:
    """Nothing is sent to a client without the key pair."""
    wrong = {"action": "authenticate", "data": {"key_id": KEY_ID, "secret_key": "wrong"}}
    with connected(exchange, LISTEN, wrong, LISTEN) as socket:
        expected = [("listen", "unauthorized"), ("authenticate", "unauthorized"), ("listen", "unauthorized")]
        answers = [read(socket) for _ in expected]
        assert [("authorization", *one) for one in expected] == [
            (answer["stream"], answer["data"]["action"], answer["data"]["status"]) for answer in answers
        ]
        until(lambda: not exchange.exchange.updates.listeners)  # also of a client that left just before


def test_json_and_message_pack(exchange: LocalExchange, symbol: str) -> None:
    """Several clients at once receive the same, each in its own codec; the short form of the login works as well."""
    short = {"action": "auth", "key": KEY_ID, "secret": SECRET}
    with (
        connected(exchange, LOGIN, LISTEN) as first,
        connected(exchange, short, LISTEN, additional_headers={"Content-Type": "application/msgpack"}) as second,
    ):
        assert ["authorization", "listening"] == [read(first)["stream"] for _ in range(2)]
        assert ["authorization", "listening"] == [msgpack.unpackb(second.recv(timeout=10))["stream"] for _ in range(2)]
        order = exchange.order(symbol=symbol, type="limit", limit_price="1.00").json()
        exchange.trade("DELETE", f"/v2/orders/{order['id']}")
        received = [read(first) for _ in range(3)]
        assert received == [msgpack.unpackb(second.recv(timeout=10)) for _ in range(3)]
        expected = ["pending_new", received[1]["data"]["order"]["status"], "canceled"]  # new while the market is open
        assert expected == [one["data"]["event"] for one in received]
        assert exchange.trade("GET", f"/v2/orders/{order['id']}").json() == received[-1]["data"]["order"]


def test_not_listening_any_more(exchange: LocalExchange) -> None:
    """An empty list of streams ends the updates; what is not served is left out of the answer."""
    none = {"action": "listen", "data": {"streams": []}}
    other = {"action": "listen", "data": {"streams": ["account_updates", "trade_updates"]}}
    with connected(exchange, LOGIN, other, none) as socket:
        answers = [read(socket)["data"] for _ in range(3)][1:]
        assert [{"streams": ["trade_updates"]}, {"streams": []}] == answers
        until(lambda: not exchange.exchange.updates.listeners)  # also of a client that left just before


@pytest.mark.parametrize("frame", ["", "[]", "null", "{", "\u00e9", b"\xc1", b"\x93", '{"action": 1}', '{"data": "x"}'])
def test_nonsense(exchange: LocalExchange, frame: str | bytes) -> None:
    """A frame that means nothing is answered with an error, and the connection stays."""
    with connected(exchange) as socket:
        socket.send(frame)
        assert "error" == read(socket)["stream"]
        socket.send(json.dumps(LOGIN))
        assert "authorized" == read(socket)["data"]["status"]


def test_client_that_dies(exchange: LocalExchange, symbol: str) -> None:
    """A client that vanishes without a word is forgotten; orders go on and the others receive them."""
    until(lambda: not exchange.exchange.updates.listeners)
    with connected(exchange, LOGIN, LISTEN) as dying, connected(exchange, LOGIN, LISTEN) as living:
        until(lambda: len(exchange.exchange.updates.listeners) == 2)
        dying.socket.close()
        assert 200 == exchange.order(symbol=symbol, type="limit", limit_price="1.00").status_code
        assert ["authorization", "listening", "trade_updates"] == [read(living)["stream"] for _ in range(3)]
        until(lambda: len(exchange.exchange.updates.listeners) == 1)


def recorded_changes() -> list[VenueChange]:
    """The changes of an entry with exits, of which one is reached: a short story of every kind of event."""
    changes: list[VenueChange] = []
    market, repository = hand_market(["AAA"]), InMemoryRepository()
    core = open_venue(market, repository, open_account(market, Decimal(100_000)), Decimal(0), changes.append)
    replaced = core.submit(ask("buy", 10, "gtc", limit_price="50"))
    core.replace(replaced.id, OrderChanges(Decimal(5), None, None, None))
    core.submit(ask("buy", 10, "day", limit_price="60"))
    core.submit(ask("buy", 10, "day"))
    for to in (Auction.OPEN, Auction.CLOSE):
        for step in core.steps_to(core.next_stop(to)):
            core.step(step)
    return changes


def test_every_event() -> None:
    """A replaced, an expired and a filled order: the events are those that their histories tell."""
    events = [(event.order.sequence, event.name) for change in recorded_changes() for event in order_events(change)]
    by_order = {number: [name for sequence, name in events if sequence == number] for number in (1, 2, 3, 4)}
    assert ["pending_new", "accepted", "replaced"] == by_order[1]
    assert ["pending_new", "accepted", "new"] == by_order[2]
    assert ["pending_new", "accepted", "new", "expired"] == by_order[3]
    assert ["pending_new", "accepted", "new", "fill"] == by_order[4]
    ids = [update.execution_id for change in recorded_changes() for update in trade_updates(change)]
    assert len(ids) == len(set(ids))


def test_position_after_each_fill() -> None:
    """Two fills of one step in one ticker: the position is reported after each."""
    changes: list[VenueChange] = []
    market, repository = hand_market(["AAA"]), InMemoryRepository()
    core = open_venue(market, repository, open_account(market, Decimal(100_000)), Decimal(0), changes.append)
    core.submit(ask("buy", 10, "day"))
    core.submit(ask("buy", 5, "day"))
    for step in core.steps_to(core.next_stop(Auction.OPEN)):
        core.step(step)
    fills = [update for update in trade_updates(changes[-1]) if update.event == "fill"]
    assert [("10", "10"), ("15", "5")] == [(update.position_qty, update.qty) for update in fills]


def test_slow_client() -> None:
    """An outbox that nobody empties ends, rather than grow for ever."""
    outbox = Outbox()
    for _ in range(OUTBOX_LIMIT + 1):
        outbox.put(StreamMessage(stream="trade_updates", data={}))
    coroutine = outbox.take()
    with pytest.raises(StopIteration) as answer:
        coroutine.send(None)
    assert answer.value.value is None
