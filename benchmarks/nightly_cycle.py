"""Seconds of a night of 8,000 tickers by step, from the bars to the orders; `python -m benchmarks.nightly_cycle`.

The whole fund as a user starts it (`./fund up`), on simulated tickers: it first collects two years and trains its
model, which is not part of the figure; with `--home FOLDER` it stays in the folder, and the next run begins with the
nights. Then the exchange's clock is moved from close to close: a night begins when the session has closed at the
exchange, which sends its event, and ends when no service has an event left, so that bars are in the lake, forecasts and
portfolio are stored and orders are at the broker. A step ends when its service has logged its event as handled. The
exchange plays vendor and broker on the same cores. `--tickers N` and `--nights N` make it smaller.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from fund.addresses import Addresses
from fund.clients import Clients, connect, unfinished_events
from fund.folder import FundFolder
from fund.processes import running_processes
from fund.services import OFFLINE_SERVICES, Service
from internal.event_types import EventType

POLL_SECONDS = 0.05
START_SECONDS = 3600.0
MUST_SECONDS = 20.0
STEPS = {
    "bars": (Service.DATAMANAGER, EventType.SESSION_CLOSED),
    "forecasts": (Service.PORTFOLIOMANAGER, EventType.BARS_SYNCED),
    "decision and orders": (Service.PORTFOLIOMANAGER, EventType.PREDICTIONS_MADE),
}


@dataclass(frozen=True)
class Night:
    """Seconds of a night by the clock, in all and by step, and of processor time by service."""

    whole: float
    steps: Mapping[str, float]
    processor: Mapping[str, float]


def wait_until_quiet(folder: FundFolder, clients: Clients, up: subprocess.Popen[bytes]) -> None:
    """Return when no service has an event left."""
    while unfinished_events(clients):
        require_running(folder, up)
        time.sleep(POLL_SECONDS)


def require_running(folder: FundFolder, up: subprocess.Popen[bytes]) -> None:
    """Raise RuntimeError with the last lines that the fund printed when it has ended."""
    if up.poll() is not None:
        last = printed_file(folder).read_text().splitlines()[-5:]
        raise RuntimeError("\n".join([f"the fund ended with status {up.returncode}:", *last]))


def printed_file(folder: FundFolder) -> Path:
    """Where the fund prints."""
    return folder.root / "up.txt"


def wait_until_traded(folder: FundFolder, up: subprocess.Popen[bytes]) -> Clients:
    """The services' clients, when the fund has opened and its first portfolio is at the broker."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        require_running(folder, up)
        if "The fund stays up" in printed_file(folder).read_text():
            return connect(folder, Addresses.from_environment())
        time.sleep(1.0)
    raise TimeoutError(f"the fund was not up after {START_SECONDS:.0f} seconds")


def play_night(folder: FundFolder, clients: Clients, up: subprocess.Popen[bytes]) -> Night:
    """One night, from a session's close to the last event of what follows from it."""
    clients.move_clock("next_open")
    wait_until_quiet(folder, clients, up)
    before = read_processor_seconds(folder)
    clients.move_clock("next_close")
    began, start = time.time(), time.monotonic()
    wait_until_quiet(folder, clients, up)
    seconds = time.monotonic() - start
    after, day = read_processor_seconds(folder), clients.exchange_state().last_closed
    if not clients.has_portfolio(day):
        raise RuntimeError(f"the night of {day} ended without a portfolio")
    ends = [find_end(folder, service, kind, day) for service, kind in STEPS.values()]
    steps = {name: end - start for name, start, end in zip(STEPS, [began, *ends[:-1]], ends, strict=True)}
    return Night(seconds, steps, {name: used - before[name] for name, used in after.items()})


def read_processor_seconds(folder: FundFolder) -> dict[str, float]:
    """Seconds of processor time that each service has used."""
    processes = {name: running_processes(folder)[name] for name in OFFLINE_SERVICES}
    return {name: sum(process.cpu_times()[:2]) for name, process in processes.items()}


def find_end(folder: FundFolder, service: Service, kind: EventType, day: date) -> float:
    """When the service had handled the event of the day, seconds since 1970, as it logged it."""
    lines = folder.log(service).read_text().splitlines()
    rows = (json.loads(line) for line in reversed(lines) if f"{kind}:{day}" in line)
    ends = (row["timestamp"] for row in rows if row["event"] == "event_handled")
    return datetime.fromisoformat(next(ends)).timestamp()


def show(tickers: int, nights: Sequence[Night]) -> None:
    """Print the medians, and of the whole night the slowest."""
    parts: dict[str, Callable[[Night], Mapping[str, float]]] = {
        "": lambda night: night.steps,
        "processor, ": lambda night: night.processor,
    }
    table = Table(f"{tickers} tickers, {len(nights)} nights", "median, s", "slowest, s")
    for prefix, read in parts.items():
        for name in read(nights[0]):
            seconds = [read(night)[name] for night in nights]
            table.add_row(f"{prefix}{name}", f"{statistics.median(seconds):.2f}", f"{max(seconds):.2f}")
    whole = [night.whole for night in nights]
    table.add_row(f"whole, must be under {MUST_SECONDS:.0f} s", f"{statistics.median(whole):.1f}", f"{max(whole):.1f}")
    Console().print(table)


def main() -> None:
    """Start the fund, measure the nights and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickers", type=int, default=8000)
    parser.add_argument("--nights", type=int, default=5)
    parser.add_argument("--home", type=Path, help="where the fund is kept, and gone on with")
    asked = parser.parse_args()
    with nullcontext(asked.home) if asked.home else tempfile.TemporaryDirectory() as home:
        folder = FundFolder(Path(home).resolve())
        folder.root.mkdir(parents=True, exist_ok=True)
        with printed_file(folder).open("wb") as printed:
            words = ["up", "--tickers", str(asked.tickers), "--sessions", "1"]
            up = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-m", "fund", *words],
                env=os.environ | {"FUND_HOME": str(folder.root)},
                stdout=printed,
                stderr=subprocess.STDOUT,
            )
            try:
                clients = wait_until_traded(folder, up)
                nights = [play_night(folder, clients, up) for _ in range(asked.nights)]
            finally:
                up.terminate()
                up.wait()
    show(asked.tickers, nights)


if __name__ == "__main__":
    main()
