"""The three services as processes: how each is started, found again, watched and ended.

Knows processes, ports and environments. Knows nothing of what the services do.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import psutil

from fund.clients import loopback
from fund.home import SERVICES, Home, Opening, write_whole
from internal.errors import ConfigurationError, UnavailableError

DEFAULT_PORTS = {"exchange": 8090, "datamanager": 8080, "portfoliomanager": 8081}
GRACE_SECONDS = 15.0
START_SECONDS = 90.0
LOG_LINES = 8


@dataclass(frozen=True)
class Addresses:
    """Where the services listen on loopback; `EXCHANGE_PORT`, `DATAMANAGER_PORT`, `PORTFOLIOMANAGER_PORT` move them."""

    ports: Mapping[str, int]

    @classmethod
    def from_environment(cls) -> "Addresses":
        """The default ports, unless the environment moves one.

        Raises:
            ConfigurationError: A port is not a number between 1 and 65535.
        """
        return cls({service: _port(service) for service in SERVICES})

    def url(self, service: str) -> str:
        """The base URL of a service."""
        return f"http://127.0.0.1:{self.ports[service]}"


def _port(service: str) -> int:
    name = f"{service.upper()}_PORT"
    text = os.environ.get(name, str(DEFAULT_PORTS[service]))
    if not text.isdecimal() or not 0 < int(text) < 65536:  # noqa: PLR2004 - the range of TCP ports
        raise ConfigurationError(f"{name} is {text!r}; it must be a port between 1 and 65535.")
    return int(text)


def environment(home: Home, addresses: Addresses, opening: Opening, service: str) -> dict[str, str]:
    """The environment of one service: the user's own without secrets of real accounts, plus this fund's."""
    keys = home.credentials()
    shared = {
        "DATA_BUCKET": str(home.lake),
        "REGISTRY_DIRECTORY": str(home.registry),
        "STATE_DIRECTORY": str(home.state(service)),
        "DATAMANAGER_URL": addresses.url("datamanager"),
        "FUND_API_TOKEN": keys["fund_api_token"],
        "LOG_FORMAT": "json",
        "PYTHONUNBUFFERED": "1",
    }
    own: dict[str, dict[str, str]] = {
        "exchange": {
            "EXCHANGE_API_KEY_ID": keys["api_key_id"],
            "EXCHANGE_API_SECRET": keys["api_secret"],
            "EXCHANGE_SEED": str(opening.seed),
            "EXCHANGE_TICKER_COUNT": str(opening.tickers),
            "EVENT_SUBSCRIBERS": f"{addresses.url('datamanager')}/events,{addresses.url('portfoliomanager')}/events",
        }
        | ({"EXCHANGE_BARS_FILE": opening.bars} if opening.bars else {})
        | ({"EXCHANGE_DETAILS_FILE": opening.details} if opening.details else {})
        | ({"EXCHANGE_START_DATE": opening.start} if opening.start else {}),
        "datamanager": {
            "POLYGON_API_KEY": keys["market_data_key"],
            "POLYGON_BASE_URL": addresses.url("exchange"),
            "POLYGON_REQUESTS_PER_MINUTE": "0",
            "EVENT_SUBSCRIBERS": f"{addresses.url('portfoliomanager')}/events",
        },
        "portfoliomanager": {
            "ALPACA_API_KEY_ID": keys["api_key_id"],
            "ALPACA_API_SECRET": keys["api_secret"],
            "ALPACA_BASE_URL": addresses.url("exchange"),
            "EVENT_SUBSCRIBERS": f"{addresses.url('portfoliomanager')}/events",
        },
        "models": {},
    }
    return _without_accounts(os.environ) | shared | own[service]


def _without_accounts(variables: Mapping[str, str]) -> dict[str, str]:
    """Drop what points at real accounts: the offline fund must never reach one by accident."""
    prefixes = ("ALPACA_", "APCA_", "POLYGON_", "MASSIVE_", "EXCHANGE_", "EVENT_", "DATA_BUCKET", "DUCKDB_", "FUND_API")
    return {name: value for name, value in variables.items() if not name.startswith(prefixes)}


@dataclass
class Supervisor:
    """Starts the services, notices when one ends by itself, ends them all.

    Args:
        home: The fund's folder.
        addresses: Where the services listen.
        opening: What the fund was opened with.
    """

    home: Home
    addresses: Addresses
    opening: Opening
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, service: str) -> None:
        """Start one service and wait until it is ready.

        Raises:
            ConfigurationError: Its port is taken.
            UnavailableError: It ended, or was not ready within 90 seconds; the message holds the end of its log.
        """
        check_port_free(service, self.addresses.ports[service])
        log = self.home.log(service)
        log.parent.mkdir(parents=True, exist_ok=True)
        self.home.state(service).mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self.running[service] = subprocess.Popen(  # noqa: S603 - our own interpreter and module names
                [
                    *(sys.executable, "-m", "internal.http.run", f"{service}.server:create_application"),
                    *("--port", str(self.addresses.ports[service])),
                ],
                env=environment(self.home, self.addresses, self.opening, service),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        record(self.home, os.getpid(), {name: process.pid for name, process in self.running.items()})
        self._wait_alive(service)

    def _wait_alive(self, service: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self.check()
            try:
                if loopback().get(f"{self.addresses.url(service)}/health", timeout=2).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise UnavailableError(
            f"{service} did not answer within {START_SECONDS:.0f} seconds.\n{self._log_end(service)}"
        )

    def check(self) -> None:
        """See that every started service still runs.

        Raises:
            UnavailableError: One ended; the message says how, and what to do.
        """
        for service, process in self.running.items():
            if (code := process.poll()) is not None:
                how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
                raise UnavailableError(
                    f"{service} {how}. Nothing is lost: run `fund up` again, it resumes.\n{self._log_end(service)}"
                )

    def _log_end(self, service: str) -> str:
        lines = self.home.log(service).read_text(errors="replace").splitlines()[-LOG_LINES:]
        return "\n".join([f"The end of {self.home.log(service)}:", *(f"  {readable(line)}" for line in lines)])

    def stop(self) -> None:
        """End every started service, the last one first; a service that does not end in time is killed."""
        for service in reversed(list(self.running)):
            end(psutil_process(self.running[service].pid))
            self.running[service].wait()
        self.running.clear()
        self.home.processes.unlink(missing_ok=True)


def readable(line: str) -> str:
    """A line of a log as a person reads it: a JSON line's event, and of a traceback the sentence that it ends with."""
    try:
        entry = json.loads(line)
    except ValueError:
        return line
    text = str(entry.get("exception") or entry.get("event", line)) if isinstance(entry, dict) else line
    return text.strip().rsplit("\n", 1)[-1]


def check_port_free(service: str, port: int) -> None:
    """See that nobody listens on the port.

    Raises:
        ConfigurationError: It is taken; the message says how to choose another.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ConfigurationError(
                f"Port {port} of {service} is in use. End the program that listens there "
                f"(`fund down` if it is a fund), or choose another: {service.upper()}_PORT={port + 100} fund up"
            ) from error


def record(home: Home, owner: int, services: Mapping[str, int]) -> None:
    """Write down which processes belong to this fund, with their start times so that a re-used id is never ours."""
    rows = {"fund": owner} | dict(services)
    entries = {name: {"pid": pid, "created": psutil.Process(pid).create_time()} for name, pid in rows.items()}
    write_whole(home.processes, json.dumps(entries))


def recorded(home: Home) -> dict[str, psutil.Process]:
    """The recorded processes that still run, by name (`fund` is the one that supervises)."""
    if not home.processes.exists():
        return {}
    entries: dict[str, dict[str, Any]] = json.loads(home.processes.read_text())
    alive: dict[str, psutil.Process] = {}
    for name, entry in entries.items():
        process = psutil_process(entry["pid"])
        if process is not None and abs(process.create_time() - entry["created"]) < 1:
            alive[name] = process
    return alive


def psutil_process(pid: int) -> psutil.Process | None:
    """The process with that id, None when there is none (or only its remains)."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process
    except psutil.NoSuchProcess:
        return None


def end(process: psutil.Process | None) -> None:
    """Ask a process to end, and kill it when it has not within 15 seconds."""
    if process is None:
        return
    try:
        process.send_signal(signal.SIGTERM)
        process.wait(GRACE_SECONDS)
    except psutil.TimeoutExpired:
        process.kill()
    except psutil.NoSuchProcess:
        return
