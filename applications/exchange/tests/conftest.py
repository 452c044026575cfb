"""Fixtures of the exchange's tests: an exchange on a hand-written market, and a running server."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from applications.exchange.tests.exchange_kit import Server, exchange_environment, start_server, stop_server
from exchange.adapters.database import Database
from exchange.services import Exchange
from libraries.python.tests.venue.venue_kit import HandMarket


@pytest.fixture
def open_exchange(tmp_path: Path) -> Iterator[Callable[..., Exchange]]:
    """Opens an exchange on a hand-written market; opening it again with the same folder is a restart."""
    opened: list[Database] = []

    def open_one(market: HandMarket, cash: str = "100000") -> Exchange:
        for database in opened:
            database.close()
        opened.append(Database(tmp_path / "state"))
        return Exchange(market, opened[-1], Decimal(cash))

    yield open_one
    for database in opened:
        database.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One real exchange process for a module's tests."""
    folder = tmp_path_factory.mktemp("exchange")
    running = start_server(exchange_environment(folder / "state"), folder / "exchange.log")
    yield running
    stop_server(running)
