"""What the exchange's tests share: a small market whose prices are written down by hand, and a real server process."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Literal

import httpx
import polars as pl
import pytest
from alpaca.trading.client import TradingClient

from exchange.clock import Auction
from exchange.exchange import Exchange
from exchange.ledger import Ledger
from exchange.market.listing import Bar, Listing
from internal.dates import sessions
from internal.schemas import corporate_actions

HTTP = httpx.Client(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
"""For all requests: `httpx.get` reads every certificate authority each time, for 20 ms of processor time."""
KEY_ID, SECRET = "PKTESTEXCHANGE", "a-secret-of-the-tests"
DAYS = sessions(date(2024, 12, 30), date(2025, 1, 10))  # 30, 31 December, 2, 3, 6, 7, 8, 10 January (9: mourning)
AAA = Listing(
    ticker="AAA",
    name="AAA Inc.",
    sector="Technology",
    industry=None,
    sic_code=None,
    sic_description=None,
    primary_exchange="XNAS",
    listed_date=date(2020, 1, 2),
    delisted_date=None,
    shortable=True,
    easy_to_borrow=True,
    borrow_rate=0.036,
    fractionable=True,
)


def make_listing(ticker: str, **changes: object) -> Listing:
    """A listing like AAA's, with the given differences."""
    return replace(AAA, ticker=ticker, name=f"{ticker} Inc.", **changes)  # type: ignore[arg-type] # field by field


def make_bar(ticker: str, day: date, price: float = 100.0, **changes: float) -> Bar:
    """A bar that opens and closes at the price, two dollars either side, a million shares."""
    values = {"open": price, "high": price + 2, "low": price - 2, "close": price, "volume": 1_000_000.0} | changes
    return Bar(
        ticker, day, values["open"], values["high"], values["low"], values["close"], values["volume"], None, None
    )


@dataclass
class HandMarket:
    """A market whose every bar, split and dividend stands in the test; it obeys the same protocol as the others."""

    table: Mapping[tuple[str, date], Bar]
    known: Mapping[str, Listing]
    split_rows: Sequence[tuple[str, date, float, float]] = ()
    dividend_rows: Sequence[tuple[str, date, float]] = ()
    kind: Literal["simulated", "replayed"] = "replayed"
    planted_signal: str = "none"
    seed: int | None = None

    def sessions(self) -> list[date]:
        """The eight sessions of DAYS."""
        return DAYS

    def opening_session(self) -> date:
        """New Year's Eve 2024."""
        return date(2024, 12, 31)

    def listings(self, day: date) -> list[Listing]:
        """Those listed by then."""
        return [listing for listing in self.known.values() if listing.listed_date <= day]

    def listing(self, ticker: str) -> Listing | None:
        """One of them."""
        return self.known.get(ticker)

    def bars(self, day: date) -> pl.DataFrame:
        """The day's bars."""
        return pl.DataFrame([bar for (_, when), bar in self.table.items() if when == day])

    def bar(self, ticker: str, day: date) -> Bar | None:
        """One bar."""
        return self.table.get((ticker, day))

    def history(self, ticker: str, start: date, end: date) -> pl.DataFrame:
        """One ticker's bars in between."""
        return pl.DataFrame([bar for (name, day), bar in self.table.items() if name == ticker and start <= day <= end])

    def splits(self, start: date, end: date) -> pl.DataFrame:
        """The splits in between."""
        rows = [row for row in self.split_rows if start <= row[1] <= end]
        names = ["ticker", "execution_date", "split_from", "split_to"]
        return pl.DataFrame(rows, names, orient="row") if rows else corporate_actions.empty_splits()

    def dividends(self, start: date, end: date) -> pl.DataFrame:
        """The dividends in between."""
        rows = [row for row in self.dividend_rows if start <= row[1] <= end]
        names = ["ticker", "ex_dividend_date", "cash_amount"]
        return pl.DataFrame(rows, names, orient="row") if rows else corporate_actions.empty_dividends()


def hand_market(  # noqa: PLR0913 - each argument is one thing that a test may say differently
    tickers: Sequence[str] = ("AAA", "BBB", "CCC"),
    *,
    bars: Sequence[Bar] = (),
    without: Sequence[tuple[str, date]] = (),
    splits: Sequence[tuple[str, date, float, float]] = (),
    dividends: Sequence[tuple[str, date, float]] = (),
    listings: Sequence[Listing] = (),
) -> HandMarket:
    """Every ticker at 100 dollars on every day, but for what the test says differently."""
    table = {(ticker, day): make_bar(ticker, day) for ticker in tickers for day in DAYS}
    table |= {(bar.ticker, bar.date): bar for bar in bars}
    known = {ticker: make_listing(ticker) for ticker in tickers} | {one.ticker: one for one in listings}
    table = {key: bar for key, bar in table.items() if key not in without}
    return HandMarket(table, known, splits, dividends)


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
