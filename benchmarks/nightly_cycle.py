"""Seconds of a night of 8,000 tickers: bars, forecasts, decision and orders; `python -m benchmarks.nightly_cycle`.

The whole fund as a user starts it (`./fund up`), on simulated tickers: it first collects two years and trains its
model, which is not part of the figure. Then the exchange's clock is moved from close to close: a night begins when the
session has closed at the exchange, which sends its event, and ends when no service has an event left, so that bars are
in the lake, forecasts and portfolio are stored and orders are at the broker. The exchange plays vendor and broker on
the same two cores. `--tickers N` and `--nights N` make it smaller.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from fund.addresses import Addresses
from fund.clients import Clients, connect, unfinished_events
from fund.folder import FundFolder

POLL_SECONDS = 0.05
START_SECONDS = 3600.0
MUST_SECONDS = 20.0


def wait_until_quiet(clients: Clients, up: subprocess.Popen[bytes]) -> None:
    """Return when no service has an event left."""
    while unfinished_events(clients):
        if up.poll() is not None:
            raise RuntimeError(f"the fund ended with {up.returncode}; see what it printed")
        time.sleep(POLL_SECONDS)


def wait_until_traded(folder: FundFolder, up: subprocess.Popen[bytes]) -> Clients:
    """The services' clients, when the fund has opened and its first portfolio is at the broker."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if up.poll() is not None:
            raise RuntimeError(f"the fund ended with {up.returncode}; see what it printed")
        if "The fund stays up" in (folder.root / "up.txt").read_text():
            return connect(folder, Addresses.from_environment())
        time.sleep(1.0)
    raise TimeoutError(f"the fund was not up after {START_SECONDS:.0f} seconds")


def night(clients: Clients, up: subprocess.Popen[bytes]) -> float:
    """Seconds from a session's close to the last event of what follows from it."""
    clients.move_clock("next_open")
    wait_until_quiet(clients, up)
    clients.move_clock("next_close")
    start = time.monotonic()
    wait_until_quiet(clients, up)
    seconds = time.monotonic() - start
    day = clients.exchange_state().last_closed
    if not clients.has_portfolio(day):
        raise RuntimeError(f"the night of {day} ended without a portfolio")
    return seconds


def main() -> None:
    """Start the fund, measure the nights and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickers", type=int, default=8000)
    parser.add_argument("--nights", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = FundFolder(Path(scratch))
        with (folder.root / "up.txt").open("wb") as printed:
            words = ["up", "--tickers", str(asked.tickers), "--sessions", "1"]
            up = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-m", "fund", *words],
                env=os.environ | {"FUND_HOME": scratch},
                stdout=printed,
                stderr=subprocess.STDOUT,
            )
            try:
                clients = wait_until_traded(folder, up)
                seconds = [night(clients, up) for _ in range(asked.nights)]
            finally:
                up.terminate()
                up.wait()
    table = Table("tickers", "nights", "median, s", "slowest, s", "must be under, s")
    table.add_row(
        str(asked.tickers),
        str(asked.nights),
        f"{statistics.median(seconds):.1f}",
        f"{max(seconds):.1f}",
        f"{MUST_SECONDS:.0f}",
    )
    Console().print(table)


if __name__ == "__main__":
    main()
