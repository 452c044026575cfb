"""From services that run to a fund that trades: collects, trains and walks sessions inside the Swarm, with progress.

Knows that the staircase is `fund up`'s own, with jobs in place of commands and services that the Swarm keeps up in
place of processes. It moves the simulated exchange's clock, so it is for a Swarm without a broker. Again, it resumes.

    python -m infrastructure.swarm.start --sessions 5 --model small
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import override

from fund.clients import Clients, ServiceClient
from fund.home import Home, Opening
from fund.screen import Screen
from fund.services import Addresses, Supervisor
from fund.staircase import CommandFailedError, Plan, Staircase
from infrastructure.names import STACKS
from infrastructure.swarm.addresses import Entrance
from infrastructure.swarm.deploy import service_ids
from infrastructure.swarm.docker import is_production, run_command, stacks_there
from infrastructure.swarm.jobs import JobFailedError, run_job
from infrastructure.swarm.variables import settings
from internal.errors import ConfigurationError, UnavailableError

ALIVE_SECONDS = 180.0


@dataclass
class Swarm(Supervisor):
    """The Swarm in the place of the supervisor: it keeps the services up by itself; this only waits for them."""

    clients: Clients | None = None

    @override
    def start(self, service: str) -> None:
        """Wait until a service answers through Traefik. Raises UnavailableError after three minutes."""
        deadline = time.monotonic() + ALIVE_SECONDS
        while self.clients is None or not self.clients.of(service).alive():
            if time.monotonic() > deadline:
                raise UnavailableError(f"{service} does not answer through Traefik: see `mask status`")
            time.sleep(0.5)

    @override
    def check(self) -> None:
        """Nothing to see to: a task that ends is replaced."""


class SwarmStaircase(Staircase):
    """The steps of `fund up`, where `models` runs as jobs."""

    @override
    def trained(self) -> str | None:
        """The champion that portfoliomanager finds in the registry, of whatever size."""
        self.supervisor.start("portfoliomanager")
        return "champion" if self.clients.portfoliomanager.readiness().get("model") == "ok" else None

    @override
    def command(self, *arguments: str) -> None:
        self.screen.command("mask", "applications", "models", f'"{" ".join(arguments)}"')
        try:
            run_job(arguments)
        except JobFailedError as error:
            raise CommandFailedError(
                f"{error.detail}; mend what it says above and run this again, it resumes."
            ) from error


def clients_of(entrance: Entrance) -> Clients:
    """The three services through Traefik."""
    inside = {"exchange": "http://exchange:8090", "datamanager": "http://datamanager:8080"}
    return Clients(
        ServiceClient("exchange", entrance.exchange, entrance.token, entrance.reader, inside["exchange"]),
        ServiceClient("datamanager", entrance.datamanager, entrance.token, None, inside["datamanager"]),
        ServiceClient(
            "portfoliomanager", entrance.portfoliomanager, entrance.token, None, "http://portfoliomanager:8081"
        ),
    )


def start(plan: Plan) -> None:
    """Walk the staircase.

    Raises:
        ConfigurationError: the Swarm trades at a broker, or the applications are not deployed.
    """
    if is_production():
        raise ConfigurationError(
            "in production the broker's clock decides: collect and train with `mask applications models`"
        )
    if STACKS[1] not in stacks_there() or not service_ids(STACKS[1]):
        raise ConfigurationError("the applications are not deployed: mask applications up")
    clients = clients_of(Entrance.of(production=False))
    home = Home(Home.from_environment().root / "swarm")
    values = settings(os.environ, production=False)
    asked = Opening(None, None, int(values["EXCHANGE_SEED"]), int(values["EXCHANGE_TICKER_COUNT"]))
    supervisor = Swarm(home, Addresses.from_environment(), home.opening() or asked, clients=clients)
    SwarmStaircase(supervisor, clients, Screen(), plan).walk()


def main(arguments: Sequence[str] | None = None) -> int:
    """Walk; the exit status."""
    parser = argparse.ArgumentParser(prog="infrastructure.swarm.start", description="Start a fund in the Swarm.")
    parser.add_argument("--sessions", type=int, default=5, help="sessions to trade, counted from the opening")
    parser.add_argument("--model", choices=("small", "full"), default="small")
    asked = parser.parse_args(arguments)
    return run_command(partial(start, Plan(asked.sessions, asked.model)))


if __name__ == "__main__":
    sys.exit(main())
