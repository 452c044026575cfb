"""What the exchange's tests share: venues on either repository, moves of the clock, and a real server process."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Protocol

import httpx
import pytest
from alpaca.trading.client import TradingClient

from exchange.adapters.database import Database
from exchange.adapters.fault_repository import SqliteFaultRepository
from exchange.adapters.sqlite_repository import SqliteRepository
from exchange.faults import Fault, FaultKind
from exchange.services import open_exchange
from internal.venue.clock import Auction
from internal.venue.core import ExchangeCore, open_venue
from internal.venue.market.protocol import MarketData
from internal.venue.market_faults import MarketFault, MarketFaultKind
from internal.venue.money import decimal_of
from internal.venue.repository import InMemoryRepository, VenueRepository
from internal.venue.state import open_account
from libraries.python.tests.free_ports import free_port
from libraries.python.tests.killed_processes import without_coverage

HTTP = httpx.Client(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
"""For all requests: `httpx.get` reads every certificate authority each time, for 20 ms of processor time."""
KEY_ID, SECRET = "PKTESTEXCHANGE", "a-secret-of-the-tests"


@dataclass(frozen=True)
class OpenVenue:
    """A venue on one of the repositories; `inject` adds a fault of the market to it."""

    core: ExchangeCore
    repository: VenueRepository
    inject: Callable[[MarketFaultKind, str, float | None], None]


class Store(Protocol):
    """One place where a venue is stored; opening a venue on it again is a restart."""

    def open(self, market: MarketData, cash: str = "100000") -> OpenVenue:
        """The venue on what is stored; a fresh account has the cash."""
        ...


class MemoryStore:
    """A venue stored in memory."""

    def __init__(self) -> None:
        self._repository = InMemoryRepository()

    def open(self, market: MarketData, cash: str = "100000") -> OpenVenue:
        """The venue on what the repository holds."""
        core = open_venue(market, self._repository, open_account(market, Decimal(cash)))
        return OpenVenue(core, self._repository, self._inject)

    def _inject(self, kind: MarketFaultKind, ticker: str, share: float | None) -> None:
        number = len(self._repository.market_faults()) + 1
        self._repository.add_market_fault(
            MarketFault(number, kind, ticker, 1, None if share is None else decimal_of(share))
        )


class SqliteStore:
    """A venue stored in SQLite; each opening closes the one before, as a new process would find it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._database: Database | None = None

    @property
    def database(self) -> Database:
        """The open database."""
        assert self._database is not None
        return self._database

    def open(self, market: MarketData, cash: str = "100000") -> OpenVenue:
        """The venue on what the folder holds."""
        self.close()
        self._database = Database(self._folder)
        repository, faults = SqliteRepository(self._database), SqliteFaultRepository(self._database)
        exchange = open_exchange(market, repository, faults, Decimal(cash))

        def inject(kind: MarketFaultKind, ticker: str, share: float | None) -> None:
            faults.add_fault(Fault.model_validate({"kind": FaultKind(kind), "ticker": ticker, "share": share}))

        return OpenVenue(exchange.core, repository, inject)

    def close(self) -> None:
        """Closes the database, if it is open."""
        if self._database is not None:
            self._database.close()


def advance(venue: OpenVenue, to: Auction) -> None:
    """Moves the clock to the next open or close, as the control route does."""
    for step in venue.core.steps_to(venue.core.next_stop(to)):
        venue.core.step(step)


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
    """Starts an exchange process, which `stop_server` kills, and waits until it is ready."""
    port = free_port()
    with log.open("a") as sink:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            exchange_command(port), env=without_coverage(environment), stdout=sink, stderr=subprocess.STDOUT, text=True
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
