"""How a fund's folder is taken and left: one `fund up` at a time, leftovers ended, memory watched.

Knows processes and the folder. Knows nothing of the steps between taking and leaving.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import psutil

from fund.clients import Clients, ServiceClient
from fund.home import SERVICES, Home, Opening
from fund.services import Addresses, Supervisor, end, recorded
from internal.errors import ConfigurationError


def clients_of(home: Home, addresses: Addresses) -> Clients:
    """The clients of a fund's services, with its token."""
    token = home.credentials()["fund_api_token"]
    exchange, datamanager, portfoliomanager = (ServiceClient(name, addresses.url(name), token) for name in SERVICES)
    return Clients(exchange, datamanager, portfoliomanager)


@contextmanager
def opened(home: Home, addresses: Addresses, asked: Opening) -> Iterator[Supervisor]:
    """The fund's folder taken by this process; its services are ended when the block is left.

    Raises:
        ConfigurationError: Another `fund up` has it, or it was opened with another market.
    """
    other = recorded(home).get("fund")
    if other is not None:
        raise ConfigurationError(
            f"This fund is up already (process {other.pid}); see `fund status`, end it with `fund down`."
        )
    stored = home.opening()
    if stored is not None and not stored.same_market(asked):
        raise ConfigurationError(
            f"{home.root} holds a fund on another market ({stored.market()}). Start it without market options, "
            "or open a new one beside it: FUND_HOME=another-folder fund up ..."
        )
    if stored is None:
        home.save_opening(asked)
    end_leftovers(home)
    supervisor = Supervisor(home, addresses, stored or asked)
    try:
        yield supervisor
    finally:
        supervisor.stop()


def end_leftovers(home: Home) -> list[str]:
    """End this folder's recorded processes, the supervisor first; the names of what was ended."""
    running = recorded(home)
    for name in ("fund", *reversed(SERVICES)):
        end(running.get(name))
    home.processes.unlink(missing_ok=True)
    return list(running)


class MemoryWatch:
    """Samples the resident memory of this process and all that it started, twice a second."""

    def __init__(self) -> None:
        self._peak = 0
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._left.set()
        self._thread.join()

    def peak_bytes(self) -> int:
        """The largest sum seen; pages that processes share count once for each."""
        return max(self._peak, resident_bytes())

    def _watch(self) -> None:
        while not self._left.wait(0.5):
            self._peak = max(self._peak, resident_bytes())


def resident_bytes() -> int:
    """Resident memory of this process and all its descendants, in bytes."""
    total = 0
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total
