"""Fixtures of the tests that share one exchange: each flattens the account and starts a journal of its own."""

from collections.abc import Iterator

import pytest

from applications.portfoliomanager.tests.at_exchange.faults_kit import MakeOn
from applications.portfoliomanager.tests.portfoliomanager_kit import World, open_world, wire
from internal.http.datamanager_client import DatamanagerClient
from internal.lake.lease import Lease
from internal.trading.limits import RiskLimits
from internal.trading.rebalancing import Rebalancer
from portfoliomanager.adapters.lake_journal import LakeJournal


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world of 60 names for all modules of this folder; its clock only moves forward."""
    with open_world(tmp_path_factory.mktemp("world"), seed=11, tickers=60, history=70) as opened:
        yield opened


@pytest.fixture
def make_on(store: DatamanagerClient, journal: LakeJournal, lease: Lease) -> MakeOn:
    """A rebalancer on another broker than the plain one."""
    return lambda broker, strategy: Rebalancer(wire(broker, store, journal, lease), strategy, RiskLimits())
