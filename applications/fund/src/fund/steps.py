"""The runner that `fund up`, `fund backtest` and the Swarm's start share: a list of steps on a platform."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from fund.clients import Clients
from fund.display import Display
from fund.folder import FundFolder
from fund.market_settings import MarketSettings
from fund.services import Service
from internal.errors import FundError, UnavailableError

EXIT_NOTICE_SECONDS = 0.5


class CommandFailedError(FundError):
    """A `models` command that the fund ran ended with an exit code other than 0; it has printed why."""


class Platform(Protocol):
    """Where services and `models` commands run: processes of this machine, or a Docker Swarm."""

    def start_service(self, service: Service) -> None:
        """Return when the service answers. Raises UnavailableError when it does not in time."""

    def check_services(self) -> None:
        """Raise UnavailableError when a service that should run has ended."""

    def run_models(self, *arguments: str) -> None:
        """Run `models ARGUMENTS...` and show its output. Raises CommandFailedError."""

    def find_trained_model(self, size: str) -> str | None:
        """The name of a trained model of that size, None when one has to be trained."""


@dataclass(frozen=True)
class Plan:
    """What one run has to do.

    Args:
        session_count: The number of sessions to trade, counted from the fund's opening.
        model: What `models train` fits: `small`, `full`, or a baseline's kind.
        uses_forecasts: Whether the strategy reads forecasts; without, no model is trained and nothing is forecast.
    """

    session_count: int
    model: str
    uses_forecasts: bool = True


@dataclass
class Run:
    """What the steps of one run use.

    Args:
        platform: Where services and commands run.
        clients: The services over HTTP.
        display: Shows the progress.
        folder: The fund's folder.
        plan: What the run has to do.
    """

    platform: Platform
    clients: Clients
    display: Display
    folder: FundFolder
    plan: Plan


@dataclass
class FundRun(Run):
    """What the steps of a fund on its own exchange use.

    Args:
        market: The market; the first step adds the session at whose close the fund opened.
    """

    market: MarketSettings


@dataclass(frozen=True)
class Step[R: Run]:
    """One step. A step that finds its work already done says so and changes nothing, so a run can be resumed.

    Args:
        title: What the user sees while it runs.
        perform: Does the work.
    """

    title: str
    perform: Callable[[R], None]


def run_steps[R: Run](steps: Sequence[Step[R]], run: R) -> None:
    """Perform every step in order.

    Raises:
        UnavailableError: A service ended by itself, or does not answer.
    """
    try:
        for number, step in enumerate(steps, start=1):
            with run.display.step(number, len(steps), step.title):
                step.perform(run)
    except UnavailableError:
        time.sleep(EXIT_NOTICE_SECONDS)  # a service that is ending needs a moment to be seen as ended
        run.platform.check_services()  # that it ended is the better explanation
        raise
