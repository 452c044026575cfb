"""Fixtures of portfoliomanager's tests: a fund on loopback."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from alpaca.trading.client import TradingClient
from pydantic import SecretStr

from applications.portfoliomanager.tests.portfoliomanager_kit import (
    FAST,
    KEY,
    SECRET,
    TOKEN,
    Make,
    Service,
    World,
    collect_world,
    open_world,
    wire,
)
from internal.http.datamanager_client import DatamanagerClient
from internal.lake.lease import Lease
from internal.lake.objects import Objects
from internal.lake.store import Lake
from internal.strategies.loading import LoadedStrategy
from internal.trading.limits import RiskLimits
from internal.trading.rebalancing import Rebalancer
from portfoliomanager.adapters.alpaca_broker import AlpacaBroker
from portfoliomanager.adapters.lake_journal import LakeJournal


@pytest.fixture(scope="session")
def worlds(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Callable[..., AbstractContextManager[World]]:
    """The factory of worlds, `open_world`: each is a copy of one whose past was collected once in a run."""
    own = tmp_path_factory.getbasetemp()
    shared = own if worker_id == "master" else own.parent

    def open_copy(folder: Path, *, seed: int, tickers: int, history: int) -> AbstractContextManager[World]:
        kind = {"seed": seed, "tickers": tickers, "history": history}
        return open_world(folder, **kind, collected=collect_world(shared, **kind))

    return open_copy


@pytest.fixture(scope="module")
def world(
    tmp_path_factory: pytest.TempPathFactory, worlds: Callable[..., AbstractContextManager[World]]
) -> Iterator[World]:
    """A world of 60 names for the tests of one module; its clock only moves forward."""
    with worlds(tmp_path_factory.mktemp("world"), seed=11, tickers=60, history=70) as opened:
        yield opened


@pytest.fixture(scope="session")
def services() -> type[Service]:
    """How a service is made, for tests that start more."""
    return Service


@pytest.fixture
def broker(world: World) -> Iterator[AlpacaBroker]:
    """The real client; before and after a test the account is flat and no fault is left."""
    flatten(world)
    yield AlpacaBroker(KEY, SECRET, world.exchange.url, timeout_seconds=2.0)
    world.clear_faults()


def flatten(world: World) -> None:
    """Close everything at the exchange."""
    client = TradingClient(KEY, SECRET, url_override=world.exchange.url)
    client.cancel_orders()
    if client.get_all_positions():
        client.close_all_positions(cancel_orders=True)
    world.play_session()  # a session of its own: ids of an earlier test's orders are taken
    assert client.get_all_positions() == []


@pytest.fixture
def store(world: World) -> Iterator[DatamanagerClient]:
    """The real datamanager."""
    with DatamanagerClient(world.datamanager.url, SecretStr(TOKEN)) as client:
        yield client


@pytest.fixture
def journal(tmp_path: Path) -> LakeJournal:
    """A journal in a lake of its own."""
    return LakeJournal(Lake(str(tmp_path / "lake")))


@pytest.fixture
def lease(tmp_path: Path) -> Iterator[Lease]:
    """The trader's lease in the same lake."""
    with Lease(Objects(str(tmp_path / "lake")), "trader", tmp_path, seconds=30) as lease:
        yield lease


@pytest.fixture
def make(broker: AlpacaBroker, store: DatamanagerClient, journal: LakeJournal, lease: Lease) -> Make:
    """A rebalancer on the test's journal, as a fresh process would wire it."""

    def make_one(strategy: LoadedStrategy = FAST) -> Rebalancer:
        return Rebalancer(wire(broker, store, journal, lease), strategy, RiskLimits())

    return make_one
