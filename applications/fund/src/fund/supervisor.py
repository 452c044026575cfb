"""The services as processes of this machine: started, watched and ended."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

import httpx

from fund.addresses import Addresses, Service, check_port_free
from fund.folder import FundFolder
from fund.market_settings import MarketSettings
from fund.processes import (
    SUPERVISOR,
    end_leftovers,
    end_process,
    find_process,
    record_processes,
    running_processes,
)
from fund.service_client import loopback_client
from fund.service_environment import service_environment
from internal.errors import ConfigurationError, UnavailableError

START_SECONDS = 90.0
LOG_LINES = 8


@dataclass
class Supervisor:
    """Starts the services, reports one that ends by itself, ends them all.

    Args:
        folder: The fund's folder.
        addresses: Where the services listen.
        market: The market that the exchange plays.
    """

    folder: FundFolder
    addresses: Addresses
    market: MarketSettings
    running: dict[Service, subprocess.Popen[bytes]] = field(default_factory=dict[Service, subprocess.Popen[bytes]])
    _log_start: int = 0  # where the log of the service that was started last begins

    def start(self, service: Service) -> None:
        """Start one service and wait until it answers.

        Raises:
            ConfigurationError: Its port is in use.
            UnavailableError: It ended, or did not answer within 90 seconds; the message holds the end of its log.
        """
        check_port_free(service, self.addresses.ports[service])
        self.folder.state(service).mkdir(parents=True, exist_ok=True)
        self.running[service] = self._launch(service)
        record_processes(self.folder, os.getpid(), {name: process.pid for name, process in self.running.items()})
        self._wait_until_alive(service)

    def _launch(self, service: Service) -> subprocess.Popen[bytes]:
        log = self.folder.log(service)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._log_start = output.tell()
            return subprocess.Popen(  # noqa: S603 - our own interpreter and module names
                [
                    *(sys.executable, "-m", "internal.http.run", f"{service}.server:create_application"),
                    *("--port", str(self.addresses.ports[service])),
                ],
                env=service_environment(self.folder, self.addresses, self.market, service),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _wait_until_alive(self, service: Service) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self._check_start(service)
            try:
                if loopback_client().get(f"{self.addresses.url(service)}/health", timeout=2).is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise UnavailableError(
            f"{service} did not answer within {START_SECONDS:.0f} seconds.\n{self._read_log_end(service)}"
        )

    def _check_start(self, service: Service) -> None:
        """As `check`, but a service that refused to start is reported with its own sentence alone."""
        try:
            self.check()
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
        for service, process in self.running.items():
            if (code := process.poll()) is not None:
                how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
                raise UnavailableError(
                    f"{service} {how}. Nothing is lost: correct what its log says, run `./fund up` again, it resumes.\n"
                    f"{self._read_log_end(service)}"
                )

    def _read_log_end(self, service: Service) -> str:
        log = self.folder.log(service)
        lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
        return "\n".join([f"The end of {log}:", *(f"  {summarize_log_line(line)}" for line in lines)])

    def stop(self) -> None:
        """End every started service, the last one first; a service that does not end in time is killed."""
        for service in reversed(list(self.running)):
            end_process(find_process(self.running[service].pid))
            self.running[service].wait()
        self.running.clear()
        self.folder.processes.unlink(missing_ok=True)


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
def open_fund(folder: FundFolder, addresses: Addresses, market: MarketSettings) -> Generator[Supervisor]:
    """Reserve the fund's folder for this process; the services are ended when the block is left.

    Raises:
        ConfigurationError: Another `./fund up` uses the folder, or the fund was opened on another market.
    """
    other = running_processes(folder).get(SUPERVISOR)
    if other is not None:
        raise ConfigurationError(
            f"This fund is up already (process {other.pid}); see `./fund status`, end it with `./fund down`."
        )
    stored = folder.read_opened_market()
    if stored is not None and not stored.same_market(market):
        raise ConfigurationError(
            f"{folder.root} holds a fund on another market ({stored.describe()}). Start it without market options, "
            "or open a new fund in another folder: FUND_HOME=another-folder ./fund up ..."
        )
    end_leftovers(folder)
    supervisor = Supervisor(folder, addresses, stored.continue_on(market) if stored else market)
    try:
        yield supervisor
    finally:
        supervisor.stop()
