"""The exchange as a process: killed in the middle, started wrongly, telling others what happened."""

# alpaca-py annotates its raw methods and its errors only in part
# pyright: reportUnknownMemberType=false

import contextlib
import json
import random
import socket
import subprocess
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast

import httpx
import pytest
from alpaca.common.exceptions import APIError
from alpaca.trading.models import Asset, TradeAccount
from alpaca.trading.requests import MarketOrderRequest
from requests.exceptions import RequestException

from applications.exchange.tests.exchange_kit import (
    Server,
    SqliteStore,
    advance,
    exchange_command,
    exchange_environment,
    start_server,
    stop_server,
)
from internal.venue.clock import Auction
from internal.venue.market.simulated import SimulatedMarket
from libraries.python.tests.free_ports import free_port


class Listener(ThreadingHTTPServer):
    """A subscriber that keeps every event that it gets."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.events: list[dict[str, object]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where events go."""
        return f"http://127.0.0.1:{self.server_address[1]}/events"

    def wait_for(self, count: int) -> list[str]:
        """The ids of the events, once so many different ones have come."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and len({event["id"] for event in self.events}) < count:
            time.sleep(0.05)
        return [str(event["id"]) for event in self.events]


class Handler(BaseHTTPRequestHandler):
    """Answers 204 to everything."""

    def do_POST(self) -> None:
        """Keeps one event."""
        cast("Listener", self.server).events.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Writes no log."""


def shortable(server: Server) -> list[str]:
    """Tickers that can be bought and shorted."""
    return [asset.symbol for asset in server.client().get_all_assets() if isinstance(asset, Asset) and asset.shortable]


def test_kill_in_the_middle(tmp_path: Path) -> None:
    """Killed again and again while orders and clock moves come in: every answered order is there, none twice.

    Orders are sent with names; after a kill the same name is asked for again, as a careful client does. At the end
    the exchange's list holds each name once, the fills of each are at most its quantity, and the cash is the opening
    cash plus the history.
    """
    environment = exchange_environment(tmp_path / "state")
    server = start_server(environment, tmp_path / "log")
    tickers, dice = shortable(server), random.Random(11)  # noqa: S311 - which moment to kill at is no secret
    confirmed: set[str] = set()
    for number in range(40):
        kills = number in {9, 21, 33}
        killer = threading.Timer(dice.uniform(0.0, 0.03), server.process.kill)
        if kills:
            killer.start()
        name = f"order-{number}"
        if send_order(server, tickers[number % len(tickers)], "buy" if number % 3 else "sell", name):
            confirmed.add(name)
        if number % 4 == 0:
            try_to_move(server, "next_open" if number % 8 else "next_close")
        if kills:
            killer.join()
            server.process.wait()
            server = start_server(environment, tmp_path / "log")
    orders = server.control("GET", "orders").json()["orders"]
    names = Counter(order["client_order_id"] for order in orders)
    assert confirmed <= set(names)
    assert set(names.values()) == {1}
    for order in orders:
        assert sum(int(fill["quantity"]) for fill in order["fills"]) == int(order["filled_qty"]) <= int(order["qty"])
    assert_books_balance(server)
    stop_server(server)


def send_order(server: Server, ticker: str, side: str, name: str) -> bool:
    """Whether the exchange confirmed the order; refused as a wash trade, or killed before its answer, it did not."""
    client = server.client()
    client._retry = 0  # pyright: ignore[reportPrivateUsage]  # no argument sets it
    request = MarketOrderRequest(symbol=ticker, qty=2, side=side, time_in_force="day", client_order_id=name)
    try:
        client.submit_order(request)
    except APIError as refusal:
        return is_confirmed(refusal)
    except RequestException:
        return False
    return True


def is_confirmed(refusal: APIError) -> bool:
    """A refusal confirms nothing; any but the expected one is a failure of the test."""
    assert refusal.status_code == 403
    return False


def try_to_move(server: Server, to: str) -> None:
    """Moves the clock, unless the exchange is killed meanwhile."""
    with contextlib.suppress(httpx.TransportError):
        server.move(to)


def assert_books_balance(server: Server) -> None:
    """Cash is 100,000 plus fills and movements; positions are the sum of the fills (no split in these days)."""
    client = server.client()
    rows = cast("list[dict[str, str]]", client.get("/account/activities", {"direction": "asc"}))
    cash = 100_000.0
    for row in rows:
        if row["activity_type"] == "FILL":
            cash -= round(float(row["qty"]) * float(row["price"]) * (1 if row["side"] == "buy" else -1), 2)
        else:
            cash += float(row["net_amount"])
    account = client.get_account()
    assert isinstance(account, TradeAccount)
    assert abs(cash - float(account.cash or 0)) < 0.01 * (len(rows) + 1)


def test_events_reach_subscribers_once(tmp_path: Path) -> None:
    """Each open and close is published in order; a kill and a restart lose none and invent none."""
    listener = Listener()
    environment = exchange_environment(tmp_path / "state", EVENT_SUBSCRIBERS=listener.url)
    server = start_server(environment, tmp_path / "log")
    server.move("next_close")
    server.process.kill()
    server.process.wait()
    server = start_server(environment, tmp_path / "log")
    server.move("next_close")
    opened, closed = "application.exchange.session.opened", "application.exchange.session.closed"
    expected = [f"{kind}:{day}" for day in ("2025-01-02", "2025-01-03") for kind in (opened, closed)]
    assert expected == list(dict.fromkeys(listener.wait_for(4)))
    event = listener.events[0]
    assert (opened, "/exchange", {"date": "2025-01-02"}) == (event["type"], event["source"], event["data"])
    stop_server(server)
    listener.shutdown()
    listener.server_close()


def test_a_step_that_was_never_published(tmp_path: Path) -> None:
    """Killed after a step was stored and before its event left: the next start publishes it."""
    stored = SqliteStore(tmp_path / "state")
    advance(stored.open(SimulatedMarket(ticker_count=12)), Auction.CLOSE)
    stored.close()
    listener = Listener()
    environment = exchange_environment(tmp_path / "state", EVENT_SUBSCRIBERS=listener.url)
    server = start_server(environment, tmp_path / "log")
    kinds = ("opened", "closed")
    expected = [f"application.exchange.session.{kind}:2025-01-02" for kind in kinds]
    assert expected == list(dict.fromkeys(listener.wait_for(2)))
    assert server.control("GET", "state").json()["session"] == "2025-01-02"
    stop_server(server)
    listener.shutdown()
    listener.server_close()


def test_faults_and_switches_survive_a_kill(tmp_path: Path) -> None:
    """What was injected or switched before the kill still holds after it."""
    environment = exchange_environment(tmp_path / "state")
    server = start_server(environment, tmp_path / "log")
    server.control("POST", "faults", kind="rate_limit", path="/v2/clock", count=5)
    server.client().patch("/account/configurations", {"suspend_trade": True})
    stop_server(server)
    server = start_server(environment, tmp_path / "log")
    assert [5] == [fault["remaining"] for fault in server.control("GET", "faults").json()]
    settings = cast("dict[str, object]", server.client().get("/account/configurations"))
    assert settings["suspend_trade"]
    stop_server(server)


def failed_start(environment: dict[str, str], port: int | None = None) -> str:
    """What an exchange that cannot start writes, standard output and error together."""
    done = subprocess.run(  # noqa: S603 - our own interpreter and module
        exchange_command(port or free_port()), env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    return done.stdout + done.stderr


def test_corrupt_bars_file(tmp_path: Path) -> None:
    """The process ends with the row and the column on standard error."""
    bars = tmp_path / "bars.csv"
    bars.write_text("ticker,date,open,high,low,close,volume\nAAA,2024-01-02,10,11,9,ten,1000\n")
    said = failed_start(exchange_environment(tmp_path / "state", EXCHANGE_BARS_FILE=str(bars)))
    assert "bars.csv" in said
    assert "close" in said


def test_missing_setting(tmp_path: Path) -> None:
    """The sentence names the variable."""
    environment = exchange_environment(tmp_path / "state")
    del environment["EXCHANGE_API_SECRET"]
    assert "EXCHANGE_API_SECRET is not set" in failed_start(environment)


def test_details_without_bars(tmp_path: Path) -> None:
    """Details belong to a bars file."""
    said = failed_start(exchange_environment(tmp_path / "state", EXCHANGE_DETAILS_FILE="details.csv"))
    assert "EXCHANGE_DETAILS_FILE belongs to EXCHANGE_BARS_FILE" in said


def test_port_in_use(tmp_path: Path) -> None:
    """A taken port ends the process with its number."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = int(holder.getsockname()[1])
        said = failed_start(exchange_environment(tmp_path / "state"), port)
    assert "address already in use" in said
    assert str(port) in said


def test_state_of_another_market(tmp_path: Path) -> None:
    """A changed seed on old state is refused with what to do."""
    stop_server(start_server(exchange_environment(tmp_path / "state"), tmp_path / "log"))
    said = failed_start(exchange_environment(tmp_path / "state", EXCHANGE_SEED="8"))
    assert "exchange: The state in STATE_DIRECTORY belongs to another market" in said


@pytest.mark.parametrize(("name", "value"), [("EXCHANGE_CASH", "-5"), ("EXCHANGE_START_DATE", "soon")])
def test_wrong_settings(tmp_path: Path, name: str, value: str) -> None:
    """A value that makes no sense is reported under its variable's name."""
    assert f"{name} is wrong" in failed_start(exchange_environment(tmp_path / "state", **{name: value}))


def test_replay(tmp_path: Path) -> None:
    """A file of bars becomes the exchange's market; an order fills at the file's next open."""
    days = ("2025-01-02", "2025-01-03", "2025-01-06", "2025-01-07", "2025-01-08")
    rows = [f"AAA,{day},{price},{price + 1},{price - 1},{price},1000000" for price, day in enumerate(days, start=100)]
    bars = tmp_path / "bars.csv"
    bars.write_text("ticker,date,open,high,low,close,volume\n" + "\n".join(rows) + "\n")
    settings = {"EXCHANGE_BARS_FILE": str(bars), "EXCHANGE_START_DATE": "2025-01-03"}
    server = start_server(exchange_environment(tmp_path / "state", **settings), tmp_path / "log")
    assert ("replayed", "2025-01-03", 1) == tuple(
        server.control("GET", "state").json()[name] for name in ("market", "session", "tickers")
    )
    client = server.client()
    client.submit_order(MarketOrderRequest(symbol="AAA", qty=10, side="buy", time_in_force="day"))
    server.move("next_open")
    order = server.control("GET", "orders").json()["orders"][0]
    assert 102.0 < float(order["filled_avg_price"]) < 102.1
    stop_server(server)
