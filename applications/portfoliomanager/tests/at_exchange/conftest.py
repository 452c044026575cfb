"""Fixtures of the tests at a real exchange: each module has its own, so that its sessions are always the same ones."""

import pytest

from applications.portfoliomanager.tests.at_exchange.faults_kit import MakeOn
from applications.portfoliomanager.tests.portfoliomanager_kit import wire
from internal.http.datamanager_client import DatamanagerClient
from internal.lake.lease import Lease
from internal.trading.limits import RiskLimits
from internal.trading.rebalancing import Rebalancer
from portfoliomanager.adapters.lake_journal import LakeJournal


@pytest.fixture
def make_on(store: DatamanagerClient, journal: LakeJournal, lease: Lease) -> MakeOn:
    """A rebalancer on another broker than the plain one."""
    return lambda broker, strategy: Rebalancer(wire(broker, store, journal, lease), strategy, RiskLimits())
