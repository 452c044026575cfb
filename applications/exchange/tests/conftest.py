"""Fixtures of the exchange's tests: a venue on either repository, a running server, and the Polygon routes."""

from collections.abc import Generator, Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from applications.exchange.tests.exchange_kit import (
    MemoryStore,
    Server,
    SqliteStore,
    Store,
    exchange_environment,
    start_server,
    stop_server,
)
from applications.exchange.tests.polygon_exchange import Exchange, serve
from internal.bar_files.replay import load_replay
from internal.dates import session_close, sessions
from internal.venue.market.simulated import SimulatedMarket


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Store]:
    """A place to store a venue: the same tests run in memory and in SQLite."""
    if request.param == "memory":
        yield MemoryStore()
    else:
        sqlite = SqliteStore(tmp_path / "state")
        yield sqlite
        sqlite.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Generator[SqliteStore]:
    """A place to store a venue in SQLite."""
    opened = SqliteStore(tmp_path / "state")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    """One real exchange process for a module's tests."""
    folder = tmp_path_factory.mktemp("exchange")
    running = start_server(exchange_environment(folder / "state"), folder / "exchange.log")
    yield running
    stop_server(running)


@pytest.fixture(scope="session")
def served() -> Iterator[Exchange]:
    """A simulated market behind the routes; tests take it through `exchange`, which sets the clock back."""
    yield from serve(SimulatedMarket(ticker_count=240))


@pytest.fixture
def exchange(served: Exchange) -> Exchange:
    """The exchange at the close of its opening session."""
    served.clock.moment = session_close(served.market.opening_session())
    served.statements.stated.clear()
    return served


@pytest.fixture(scope="session")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """Two tickers without average price and transactions, over the start of daylight saving in 2005."""
    days = sessions(date(2005, 3, 28), date(2005, 4, 29))
    rows = [(ticker, day, 10.0, 12.0, 9.0, 11.0, 500.5) for day in days for ticker in ("AAA", "BBB")]
    schema = ["ticker", "date", "open", "high", "low", "close", "volume"]
    path = tmp_path_factory.mktemp("polygon") / "bars.parquet"
    pl.DataFrame(rows, schema=schema, orient="row").write_parquet(path)
    yield from serve(load_replay(path).market)
