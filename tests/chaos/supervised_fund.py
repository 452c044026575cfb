"""A fund of real processes that are started again when they end, as `fund run` starts them again."""

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from chaos.draws import Move
from fund.addresses import Addresses
from fund.answers import ExchangeState
from fund.clients import Clients, connect, unfinished_events
from fund.folder import FundFolder
from fund.market_settings import MarketSettings
from fund.restarts import RestartPolicy, Restarts
from fund.service_environment import OfflineEnvironments
from fund.services import Service
from fund.supervisor import Supervisor, open_supervisor
from internal.dates import previous_session
from internal.errors import FundError
from libraries.python.tests.free_ports import free_ports

HISTORY = 70  # sessions that are collected before the first decision
PATIENCE_SECONDS = 240.0
POLL_SECONDS = 0.2
ALWAYS = RestartPolicy(attempts=1_000_000, window=1.0)


class StuckError(Exception):
    """The fund did not finish what it had to do; the message says what is left."""


@dataclass(frozen=True)
class ReplacedVariables:
    """The environments of an offline fund with some variables of each service replaced."""

    inner: OfflineEnvironments
    replaced: Mapping[Service, Mapping[str, str]]

    def of_service(self, service: Service) -> dict[str, str]:
        """The environment of a service."""
        return self.inner.of_service(service) | dict(self.replaced.get(service, {}))

    def of_models(self) -> dict[str, str]:
        """The environment of a `models` command."""
        return self.inner.of_models()


@dataclass
class SupervisedFund:
    """The fund.

    Attributes:
        bars_delay: How long after a close the vendor has the session's bars.
        patience: Seconds of the wall clock after which what is not done counts as stuck.
        notes: What its supervisor said.
    """

    folder: FundFolder
    supervisor: Supervisor
    clients: Clients
    bars_delay: timedelta
    patience: float = PATIENCE_SECONDS
    notes: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        """Services that end are started again, however often."""
        self.restarts = Restarts(self.supervisor, self.notes.append, ALWAYS)

    def attempt[Answer](self, work: Callable[[], Answer]) -> Answer:
        """Try again until it succeeds; meanwhile what was killed starts again. Raises StuckError."""
        deadline, last = time.monotonic() + self.patience, ""
        while time.monotonic() < deadline:
            self.restarts.keep_running(time.monotonic())
            try:
                return work()
            except FundError as error:
                last = error.detail
            time.sleep(POLL_SECONDS)
        raise StuckError(last)

    def wait(self, find_left: Callable[[], list[str]]) -> None:
        """Wait until nothing is left and every service runs. Raises StuckError, with what is left."""
        deadline = time.monotonic() + self.patience
        left = ["nothing was seen yet"]
        while left:
            if time.monotonic() > deadline:
                raise StuckError("; ".join(left))
            self.restarts.keep_running(time.monotonic())
            try:
                left = find_left()
            except FundError as error:
                left = [error.detail]
            if left:
                time.sleep(POLL_SECONDS)

    def move(self, move: Move) -> None:
        """Move the exchange's clock once, although the exchange may be killed meanwhile."""
        before = self.attempt(self.clients.exchange_state)
        self._go(before, {"to": move.value})
        if move is Move.CLOSE:
            self.wait_for_bars()

    def wait_for_bars(self) -> None:
        """After a close, let the market's clock pass on until the vendor has the session's bars."""
        state = self.attempt(self.clients.exchange_state)
        moment = datetime.fromisoformat(state.timestamp) + self.bars_delay
        if self.bars_delay:
            self._go(state, {"timestamp": moment.isoformat()})

    def _go(self, before: ExchangeState, to: dict[str, str]) -> None:
        """Ask for the move until the clock is no more where it was."""

        def go() -> None:
            if self.clients.exchange_state().timestamp == before.timestamp:
                self.clients.exchange.post("/control/clock", to)

        self.attempt(go)

    def list_pending(self) -> list[str]:
        """Events that some service has still to deliver or to handle."""
        events = unfinished_events(self.clients)
        scheduler = self.clients.of(Service.SCHEDULER).get("/events")
        sent = [row for row in scheduler["outbox"] if row["state"] == "pending"]
        left = [f"{event.service}: {event.type} ({event.last_error})" for event in events]
        return left + [f"scheduler: {row['type']} ({row['last_error']})" for row in sent]


def collect_history(fund: SupervisedFund) -> None:
    """Collect the sessions before the opening."""
    end = fund.clients.exchange_state().last_closed
    fund.clients.datamanager.post(
        "/equity-bars", {"start_date": previous_session(end, HISTORY).isoformat(), "end_date": end.isoformat()}
    )


@dataclass(frozen=True)
class Setup:
    """How a fund is run.

    Attributes:
        variables: The user's environment.
        replaced: Variables of each service that are not those of an offline fund.
        bars_delay: How long after a close the vendor has the session's bars.
        patience: Seconds of the wall clock after which what is not done counts as stuck.
    """

    variables: Mapping[str, str]
    replaced: Mapping[Service, Mapping[str, str]]
    bars_delay: timedelta = timedelta(0)
    patience: float = PATIENCE_SECONDS


@contextmanager
def open_supervised_fund(root: Path, market: MarketSettings, setup: Setup) -> Generator[SupervisedFund]:
    """All services of a new fund whose past is collected; ended with the block."""
    folder = FundFolder(root)
    addresses = Addresses(dict(zip(Service, free_ports(len(Service)), strict=True)))
    environments = ReplacedVariables(OfflineEnvironments(folder, addresses, market, setup.variables), setup.replaced)
    with open_supervisor(folder, addresses, environments, tuple(Service)) as supervisor:
        fund = SupervisedFund(folder, supervisor, connect(folder, addresses), setup.bars_delay, setup.patience)
        for service in (Service.EXCHANGE, Service.DATAMANAGER):
            supervisor.start(service)
        fund.wait_for_bars()
        collect_history(fund)
        for service in (Service.PORTFOLIOMANAGER, Service.SCHEDULER):
            supervisor.start(service)
        yield fund
