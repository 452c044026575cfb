"""Start trading in the local Swarm: collect, train and trade sessions of the simulated market, with progress.

It runs the steps of `fund up` on a platform where `models` runs as jobs and the Swarm keeps the services up. It moves
the simulated exchange's clock, so it refuses a Swarm that trades at a broker. Run again, it resumes.

    python -m infrastructure.swarm.start --sessions 5 --model small
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from fund.clients import Clients
from fund.display import Display
from fund.folder import FundFolder
from fund.market_settings import MarketSettings
from fund.service_client import ServiceClient
from fund.services import Service
from fund.startup import up_steps
from fund.steps import CommandFailedError, FundRun, Plan, run_steps
from infrastructure.names import STACKS
from infrastructure.swarm.addresses import Entrance
from infrastructure.swarm.deploy import service_ids
from infrastructure.swarm.docker import is_production, run_command, stacks_there
from infrastructure.swarm.jobs import JobFailedError, run_job
from infrastructure.swarm.variables import settings
from internal.errors import ConfigurationError, UnavailableError

ALIVE_SECONDS = 180.0
POLL_SECONDS = 0.5


@dataclass(frozen=True)
class SwarmPlatform:
    """A Docker Swarm that runs the applications stack.

    Args:
        clients: The services through Traefik.
        display: Shows the commands that are run.
    """

    clients: Clients
    display: Display

    def start_service(self, service: Service) -> None:
        """Wait until a service, which the Swarm has started, answers through Traefik.

        Raises:
            UnavailableError: It does not answer within three minutes.
        """
        deadline = time.monotonic() + ALIVE_SECONDS
        while not self.clients.of(service).is_alive():
            if time.monotonic() > deadline:
                raise UnavailableError(f"{service} does not answer through Traefik: see `mask status`")
            time.sleep(POLL_SECONDS)

    def check_services(self) -> None:
        """Do nothing: the Swarm replaces a task that ends."""

    def run_models(self, *arguments: str) -> None:
        """Run `models ARGUMENTS...` as a job.

        Raises:
            CommandFailedError: It ended with an exit code other than 0, or could not begin.
        """
        self.display.show_command("mask", "applications", "models", f'"{" ".join(arguments)}"')
        try:
            run_job(arguments)
        except JobFailedError as error:
            raise CommandFailedError(
                f"{error.detail}; fix the error shown above and run this again, it resumes."
            ) from error

    def find_trained_model(self, size: str) -> str | None:  # noqa: ARG002 - the registry in the Swarm reports no sizes
        """Whether portfoliomanager finds a champion in the registry, whatever its size."""
        self.start_service(Service.PORTFOLIOMANAGER)
        return "champion" if self.clients.portfoliomanager.readiness().get("model") == "ok" else None


def connect(entrance: Entrance) -> Clients:
    """The clients of the three services through Traefik."""
    return Clients(
        ServiceClient(
            Service.EXCHANGE, entrance.exchange, entrance.token, entrance.reader, events_url="http://exchange:8090"
        ),
        ServiceClient(Service.DATAMANAGER, entrance.datamanager, entrance.token, events_url="http://datamanager:8080"),
        ServiceClient(
            Service.PORTFOLIOMANAGER,
            entrance.portfoliomanager,
            entrance.token,
            events_url="http://portfoliomanager:8081",
        ),
    )


def start(plan: Plan) -> None:
    """Perform the steps of `fund up` in the Swarm.

    Raises:
        ConfigurationError: The Swarm trades at a broker, or the applications are not deployed.
    """
    if is_production():
        raise ConfigurationError(
            "in production the broker's clock decides: collect and train with `mask applications models`"
        )
    if STACKS[1] not in stacks_there() or not service_ids(STACKS[1]):
        raise ConfigurationError("the applications are not deployed: mask applications up")
    clients, display = connect(Entrance.of(production=False)), Display()
    folder = FundFolder(FundFolder.from_environment().root / "swarm")
    market = folder.read_market() or deployed_market()
    platform = SwarmPlatform(clients, display)
    platform.start_service(Service.PORTFOLIOMANAGER)  # it says whether its strategy needs a model
    plan = replace(plan, uses_forecasts=clients.strategy().uses_forecasts)
    run_steps(up_steps(plan), FundRun(platform, clients, display, folder, plan, market))


def deployed_market() -> MarketSettings:
    """The simulated market that the deployed exchange plays."""
    values = settings(os.environ, production=False)
    return MarketSettings(None, None, int(values["EXCHANGE_SEED"]), int(values["EXCHANGE_TICKER_COUNT"]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Start trading; the exit status."""
    parser = argparse.ArgumentParser(prog="infrastructure.swarm.start", description="Start a fund in the Swarm.")
    parser.add_argument("--sessions", type=int, default=5, help="sessions to trade, counted from the opening")
    parser.add_argument("--model", choices=("small", "full"), default="small")
    parsed = parser.parse_args(arguments)
    return run_command(partial(start, Plan(parsed.sessions, parsed.model)))


if __name__ == "__main__":
    sys.exit(main())
