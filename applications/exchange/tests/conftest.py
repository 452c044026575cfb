"""Fixtures of the exchange's tests: a venue on either repository, and a running server."""

from collections.abc import Generator
from pathlib import Path

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
