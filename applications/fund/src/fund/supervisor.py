"""The services as processes of this machine: started, watched and ended."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from fund.addresses import Addresses, check_port_free
from fund.folder import PRIVATE_FILE, PRIVATE_FOLDER, PRIVATE_MASK, FundFolder
from fund.interrupts import INTERRUPTS
from fund.log_rotation import rotate_log
from fund.market_settings import MarketSettings
from fund.processes import (
    SUPERVISOR,
    end_leftovers,
    end_process,
    find_process,
    record_processes,
    running_processes,
)
from fund.service_client import ServiceClient
from fund.service_environment import Environments, OfflineEnvironments
from fund.services import OFFLINE_SERVICES, Service
from internal.errors import ConfigurationError, UnavailableError
from internal.modes import Mode

START_SECONDS = 90.0
POLL_SECONDS = 0.1
LOG_LINES = 8


@dataclass
class Supervisor:
    """Starts the services, reports one that ends by itself, ends them all.

    Args:
        folder: The fund's folder.
        addresses: Where the services listen.
        environments: The environment of each process.
    """

    folder: FundFolder
    addresses: Addresses
    environments: Environments
    running: dict[Service, subprocess.Popen[bytes]] = field(default_factory=dict[Service, subprocess.Popen[bytes]])
    _log_start: int = 0  # where the log of the service that was started last begins

    def start(self, service: Service) -> None:
        """Start one service and wait until it answers; all started ones must go on running.

        Raises:
            ConfigurationError: Its port is in use, or it refused its settings.
            UnavailableError: A service ended, or it did not answer within 90 seconds; the message holds its log's end.
        """
        self._launch(service)
        self._wait_until_alive(service, self.check)

    def restart(self, service: Service) -> None:
        """Start a service that has ended, whatever the others do. Raises as `start`."""
        self._launch(service)
        self._wait_until_alive(service, lambda: self._require_running(service))

    def _launch(self, service: Service) -> None:
        check_port_free(service, self.addresses.ports[service])
        for path in (self.folder.state(service), self.folder.logs):
            path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        environment = self.environments.of_service(service)
        with INTERRUPTS.held(), open_log(self.folder.log(service)) as output:
            self._log_start = output.seek(0, os.SEEK_END)
            self.running[service] = subprocess.Popen(  # noqa: S603 - our own interpreter and module names
                [
                    *(sys.executable, "-m", "internal.http.run", f"{service}.server:create_application"),
                    *("--port", str(self.addresses.ports[service])),
                ],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=PRIVATE_MASK,
            )
        self._record()

    def _record(self) -> None:
        running = {name: process.pid for name, process in self.running.items() if process.poll() is None}
        record_processes(self.folder, os.getpid(), running, self.addresses.ports)

    def _wait_until_alive(self, service: Service, require_running: Callable[[], None]) -> None:
        client, deadline = ServiceClient(service, self.addresses.url(service)), time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self._check_start(service, require_running)
            if client.is_alive():
                return
            time.sleep(POLL_SECONDS)
        raise UnavailableError(
            f"{service} did not answer within {START_SECONDS:.0f} seconds.\n{self.read_log_end(service)}"
        )

    def _check_start(self, service: Service, require_running: Callable[[], None]) -> None:
        """As `check`, but a service that refused to start is reported with its own sentence alone."""
        try:
            require_running()
        except UnavailableError:
            with self.folder.log(service).open("rb") as log:
                log.seek(self._log_start)
                lines = log.read().decode(errors="replace").splitlines()
            for line in lines:
                if line.startswith(f"{service}: "):
                    raise ConfigurationError(line.removeprefix(f"{service}: ")) from None
            raise

    def check(self) -> None:
        """Check that every started service still runs.

        Raises:
            UnavailableError: A service ended; the message says how, and what to do.
        """
        for service in self.running:
            self._require_running(service)

    def _require_running(self, service: Service) -> None:
        if (how := self.how_ended(service)) is not None:
            raise UnavailableError(
                f"{service} {how}. Nothing is lost: correct what its log says, run the same command again, it "
                f"resumes.\n{self.read_log_end(service)}"
            )

    def how_ended(self, service: Service) -> str | None:
        """How a started service ended, in words; None while it runs."""
        if (code := self.running[service].poll()) is None:
            return None
        return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"

    def read_log_end(self, service: Service) -> str:
        """The last lines of a service's log, under a title."""
        log = self.folder.log(service)
        lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
        return "\n".join([f"The end of {log}:", *(f"  {summarize_log_line(line)}" for line in lines)])

    def rotate_logs(self, limit: int, kept: int) -> None:
        """Rotate the logs that have more bytes than the limit."""
        for service in self.running:
            rotate_log(self.folder.log(service), limit, kept)

    def stop(self) -> None:
        """End every started service, the last one first; one that does not end in time, or at Ctrl-C, is killed."""
        with INTERRUPTS.ending(self._kill):
            for process in reversed(list(self.running.values())):
                end_process(find_process(process.pid))
                process.wait()
            self.running.clear()
            self.folder.processes.unlink(missing_ok=True)

    def _kill(self) -> None:
        for process in self.running.values():
            process.kill()


def open_log(path: Path) -> IO[bytes]:
    """A log to append to, which only its owner may read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE_FILE), "ab")


def summarize_log_line(line: str) -> str:
    """The event of a JSON log line, and of a traceback its last line; any other line as it is."""
    try:
        entry: object = json.loads(line)
    except ValueError:
        return line
    if not isinstance(entry, dict):
        return line
    fields = cast("dict[str, object]", entry)
    text = str(fields.get("exception") or fields.get("event", line))
    return text.strip().rsplit("\n", 1)[-1]


@contextmanager
def open_supervisor(
    folder: FundFolder, addresses: Addresses, environments: Environments, services: Sequence[Service]
) -> Generator[Supervisor]:
    """Reserve the fund's folder for this process; the services are ended when the block is left.

    A setting that a service cannot be started with is refused here, before the first step.

    Whatever is written within the block, by the services too, only its owner may read.

    Args:
        folder: The fund's folder.
        addresses: Where the services listen.
        environments: The environment of each process.
        services: What will be started: its ports must be free, of the last one too, which starts minutes later.

    Raises:
        ConfigurationError: Another process runs the fund of this folder, a port is in use, or a setting is refused.
    """
    require_down(folder)
    folder.make_private()
    end_leftovers(folder)
    for service in services:
        check_port_free(service, addresses.ports[service])
    supervisor = Supervisor(folder, addresses, environments)
    before = os.umask(PRIVATE_MASK)
    try:
        for service in services:
            environments.of_service(service)
        yield supervisor
    finally:
        supervisor.stop()
        os.umask(before)


def require_down(folder: FundFolder) -> None:
    """Raise ConfigurationError while another process runs the fund of this folder."""
    other = running_processes(folder).get(SUPERVISOR)
    if other is not None:
        raise ConfigurationError(
            f"This fund is up already (process {other.pid}); see `./fund status`, end it with `./fund down`."
        )


@contextmanager
def open_fund(
    folder: FundFolder,
    addresses: Addresses,
    market: MarketSettings,
    variables: Mapping[str, str] = os.environ,
    services: Sequence[Service] = OFFLINE_SERVICES,
) -> Generator[tuple[Supervisor, MarketSettings]]:
    """Open a fund on its own exchange, and the market that it goes on with.

    Raises:
        ConfigurationError: Another process runs it, it was opened on another market or at a broker, or a port is
            in use.
    """
    require_down(folder)
    folder.require_mode(Mode.SIMULATED)
    stored = folder.read_opened_market()
    if stored is not None and not stored.same_market(market):
        raise ConfigurationError(
            f"{folder.root} holds a fund on another market ({stored.describe()}). Start it without options, "
            "variables and keys of fund.toml that name a market, or set FUND_HOME to a new folder."
        )
    continued = stored.continue_on(market) if stored else market
    environments = OfflineEnvironments(folder, addresses, continued, variables)
    with open_supervisor(folder, addresses, environments, services) as supervisor:
        yield supervisor, continued
