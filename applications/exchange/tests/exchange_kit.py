"""What the exchange's tests share: moves of the clock, the stored state, and a real server process."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from alpaca.trading.client import TradingClient

from exchange.adapters.sqlite_repository import Ledger
from exchange.services import Exchange
from internal.venue.clock import Auction

HTTP = httpx.Client(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
"""For all requests: `httpx.get` reads every certificate authority each time, for 20 ms of processor time."""
KEY_ID, SECRET = "PKTESTEXCHANGE", "a-secret-of-the-tests"


def advance(exchange: Exchange, to: Auction) -> None:
    """Moves the clock to the next open or close, as the control route does."""
    for step in exchange.steps_to(exchange.next_stop(to)):
        exchange.play(step)


@contextmanager
def reading(exchange: Exchange) -> Iterator[Ledger]:
    """The stored state."""
    with exchange.database.reading() as connection:
        yield Ledger(connection)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """A running exchange process."""

    process: subprocess.Popen[str]
    url: str

    def client(self, key_id: str = KEY_ID, secret: str = SECRET) -> TradingClient:
        """The unmodified trading client."""
        return TradingClient(key_id, secret, url_override=self.url)

    def control(self, method: str, path: str, /, **body: object) -> httpx.Response:
        """A request to the control API."""
        return HTTP.request(method, f"{self.url}/control/{path}", json=body or None, timeout=30)

    def move(self, to: str) -> dict[str, object]:
        """Moves the clock; the new state."""
        answer = self.control("POST", "clock", to=to)
        answer.raise_for_status()
        return dict(answer.json())


def exchange_environment(state_directory: Path, **settings: str) -> dict[str, str]:
    """The environment of an exchange process with 12 tickers."""
    own = {
        "STATE_DIRECTORY": str(state_directory),
        "EXCHANGE_API_KEY_ID": KEY_ID,
        "EXCHANGE_API_SECRET": SECRET,
        "EXCHANGE_TICKER_COUNT": "12",
    }
    return {**os.environ, **own, **settings}


def exchange_command(port: int) -> list[str]:
    """How every exchange is started."""
    return [sys.executable, "-m", "internal.http.run", "exchange.server:create_application", "--port", str(port)]


def start_server(environment: dict[str, str], log: Path) -> Server:
    """Starts an exchange process and waits until it is ready."""
    port = free_port()
    with log.open("a") as sink:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            exchange_command(port), env=environment, stdout=sink, stderr=subprocess.STDOUT, text=True
        )
    server = Server(process, f"http://127.0.0.1:{port}")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if HTTP.get(f"{server.url}/ready").status_code == 200:
                return server
        except httpx.TransportError:
            time.sleep(0.05)
    process.kill()
    pytest.fail(f"the exchange did not start: {log.read_text()}")


def stop_server(server: Server) -> None:
    """Ends an exchange process."""
    server.process.kill()
    server.process.wait()
