"""The Swarm as a platform of the fund's steps, with a real service in the place of the one behind Traefik."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from fund.addresses import Addresses
from fund.clients import connect
from fund.display import Display
from fund.folder import FundFolder
from fund.market_settings import MarketSettings
from fund.service_environment import OfflineEnvironments
from fund.services import Service
from fund.supervisor import Supervisor
from infrastructure.swarm import start
from infrastructure.swarm.start import SwarmPlatform
from internal.errors import UnavailableError
from libraries.python.tests.free_ports import free_ports


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    """A supervisor with three free ports, whose services are ended afterwards."""
    addresses = Addresses(dict(zip(Service, free_ports(len(Service)), strict=True)))
    folder = FundFolder(tmp_path)
    found = Supervisor(folder, addresses, OfflineEnvironments(folder, addresses, MarketSettings(None, None, 1, 40)))
    yield found
    found.stop()


def platform_of(supervisor: Supervisor) -> SwarmPlatform:
    """The platform that reaches the supervisor's services."""
    return SwarmPlatform(connect(supervisor.folder, supervisor.addresses), Display(Console(quiet=True)))


def test_model_is_looked_up_in_the_registry(supervisor: Supervisor) -> None:
    """An empty registry has no champion: portfoliomanager says so, and a model has to be trained."""
    supervisor.start(Service.PORTFOLIOMANAGER)
    assert platform_of(supervisor).find_trained_model("small") is None


def test_service_that_does_not_answer(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time limit, the error names the service and the command to look further."""
    monkeypatch.setattr(start, "ALIVE_SECONDS", 0.0)
    with pytest.raises(UnavailableError, match=r"exchange does not answer through Traefik.*mask status"):
        platform_of(supervisor).start_service(Service.EXCHANGE)
