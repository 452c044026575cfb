"""The runner of steps: their order, and which error explains an interrupted run."""

from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from fund.addresses import Addresses
from fund.clients import connect
from fund.display import Display
from fund.folder import FundFolder
from fund.market_settings import MarketSettings
from fund.services import Service
from fund.steps import FundRun, Plan, Step, run_steps
from internal.errors import UnavailableError


@dataclass
class NoServices:
    """A platform that starts nothing.

    Args:
        ended: What `check_services` reports.
    """

    ended: str | None = None
    started: list[Service] = field(default_factory=list[Service])

    def start_service(self, service: Service) -> None:
        """Note the service."""
        self.started.append(service)

    def check_services(self) -> None:
        """Raise when a service is said to have ended."""
        if self.ended is not None:
            raise UnavailableError(self.ended)

    def run_models(self, *arguments: str) -> None:
        """Run nothing."""

    def find_trained_model(self, size: str) -> str | None:
        """The size itself."""
        return size


def new_run(tmp_path: Path, platform: NoServices, output: StringIO) -> FundRun:
    """A run that prints to `output`."""
    folder = FundFolder(tmp_path)
    clients = connect(folder, Addresses(dict.fromkeys(Service, 9)))
    market = MarketSettings(bars=None, details=None, seed=1, tickers=120)
    return FundRun(platform, clients, Display(Console(file=output)), folder, Plan(5, "small"), market)


def lose_connection(_run: FundRun) -> None:
    """A step whose service does not answer."""
    raise UnavailableError("the exchange does not answer")


def test_order_and_titles(tmp_path: Path) -> None:
    """Steps run in the order of the list, each under its number and title."""
    platform, output = NoServices(), StringIO()
    steps: list[Step[FundRun]] = [
        Step("Start the exchange", lambda run: run.platform.start_service(Service.EXCHANGE)),
        Step("Collect", lambda run: run.platform.start_service(Service.DATAMANAGER)),
    ]
    run_steps(steps, new_run(tmp_path, platform, output))

    assert platform.started == [Service.EXCHANGE, Service.DATAMANAGER]
    printed = output.getvalue()
    assert printed.index("1/2  Start the exchange") < printed.index("2/2  Collect")
    assert printed.count("done in") == 2


def test_failed_step_ends_the_run(tmp_path: Path) -> None:
    """Later steps do not run, and with all services up the step's own error is reported."""
    platform, output = NoServices(), StringIO()
    steps: list[Step[FundRun]] = [
        Step("Fail", lose_connection),
        Step("Later", lambda run: run.platform.start_service(Service.EXCHANGE)),
    ]

    with pytest.raises(UnavailableError, match="does not answer"):
        run_steps(steps, new_run(tmp_path, platform, output))
    assert platform.started == []
    assert "Later" not in output.getvalue()


def test_ended_service_explains_the_failure(tmp_path: Path) -> None:
    """When a service has ended, that is the error, not the connection that was lost because of it."""
    run = new_run(tmp_path, NoServices(ended="exchange was ended by signal 9"), StringIO())

    with pytest.raises(UnavailableError, match="ended by signal 9"):
        run_steps([Step("Fail", lose_connection)], run)
