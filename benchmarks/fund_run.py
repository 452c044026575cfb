"""What `./fund run` needs: time from `fund init` to the first order, memory and disk; `python -m benchmarks.fund_run`.

The exchange, a process beside it that is not counted, plays the paper broker and every vendor, without their limits.
Memory is the unique set of the command and all that it started, twice a second: pages that processes share, such as the
libraries' code, are left out. Idle is a minute without a session; at work is two sessions with collection, forecast,
decision and orders. `--tickers N` makes another market.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
from rich.console import Console

POLL_SECONDS = 0.5
START_SECONDS = 1800.0
IDLE_SECONDS = 60.0
MEGABYTE = 1024**2
KEYS = {"ALPACA_API_KEY_ID": "PKOWNER", "ALPACA_API_SECRET": "an owner's secret"}
PORTS = {
    "EXCHANGE_PORT": "28190",
    "DATAMANAGER_PORT": "28180",
    "PORTFOLIOMANAGER_PORT": "28181",
    "SCHEDULER_PORT": "28182",
}
NO_LIMITS = {
    "ALPACA_DATA_DELAY_MINUTES": "0",
    "ALPACA_DATA_REQUESTS_PER_MINUTE": "0",
    "EDGAR_REQUESTS_PER_SECOND": "0",
    "BARS_DELAY_MINUTES": "0",
}
VENDORS = ("ALPACA_BASE_URL", "ALPACA_DATA_URL", "EDGAR_BASE_URL", "EDGAR_DATA_BASE_URL")
BROKER = f"http://127.0.0.1:{PORTS['EXCHANGE_PORT']}"
SCHEDULER = f"http://127.0.0.1:{PORTS['SCHEDULER_PORT']}"


@contextmanager
def play_broker(folder: Path, tickers: int) -> Generator[None]:
    """The exchange in the place of the broker and the vendors."""
    variables = {
        "STATE_DIRECTORY": str(folder),
        "EXCHANGE_API_KEY_ID": KEYS["ALPACA_API_KEY_ID"],
        "EXCHANGE_API_SECRET": KEYS["ALPACA_API_SECRET"],
        "EXCHANGE_SIP_DELAY_MINUTES": "0",
        "EXCHANGE_TICKER_COUNT": str(tickers),
    }
    words = ["-m", "internal.http.run", "exchange.server:create_application", "--port", PORTS["EXCHANGE_PORT"]]
    with subprocess.Popen(  # noqa: S603 - our own
        [sys.executable, *words], env=os.environ | variables, stdout=subprocess.DEVNULL
    ) as process:
        wait_until(lambda: answers(f"{BROKER}/health"))
        yield
        process.terminate()


def wait_until(holds: Callable[[], bool], sample: Callable[[], object] = int) -> None:
    """Wait for a condition, sampling meanwhile."""
    deadline = time.monotonic() + START_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("the fund did not come so far in half an hour")
        sample()
        time.sleep(POLL_SECONDS)


def answers(url: str) -> bool:
    """Whether an address answers with success."""
    try:
        return httpx.get(url, timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False


def count_orders() -> int:
    """Orders that the broker has accepted."""
    return len(httpx.get(f"{BROKER}/control/orders", timeout=60, trust_env=False).json()["orders"])


def last_decision() -> tuple[str, str]:
    """Session and outcome of the scheduler's last decision; empty before the first."""
    runs = httpx.get(f"{SCHEDULER}/schedule", timeout=60, trust_env=False).json()["last"]
    return next(((run["session"], run["outcome"]) for run in runs if run["kind"] == "decision"), ("", ""))


def measure_memory(run: psutil.Process) -> float:
    """Megabytes of the command and all that it started."""
    total = 0
    for process in (run, *run.children(recursive=True)):
        try:
            total += process.memory_full_info().uss
        except psutil.NoSuchProcess:
            continue
    return total / MEGABYTE


def measure_processor(run: psutil.Process) -> float:
    """Processor seconds of the command and all that runs below it."""
    return sum(sum(process.cpu_times()[:2]) for process in (run, *run.children(recursive=True)))


def measure_disk(home: Path) -> float:
    """Megabytes that the folder takes on the disk."""
    return sum(path.stat().st_blocks * 512 for path in home.rglob("*") if path.is_file()) / MEGABYTE


def work(run: psutil.Process) -> float:
    """Two sessions from the open to the orders after the close; the largest memory."""
    samples: list[float] = []
    for _ in range(2):
        for moment in ("next_open", "next_close"):
            httpx.post(f"{BROKER}/control/clock", json={"to": moment}, timeout=120, trust_env=False).raise_for_status()
        session = httpx.get(f"{BROKER}/control/state", timeout=60, trust_env=False).json()["session"]
        wait_until(
            lambda wanted=session: last_decision()[0] == wanted and last_decision()[1] != "running",
            lambda: samples.append(measure_memory(run)),
        )
    return max(samples)


def measure(folder: Path, tickers: int, model: str) -> dict[str, float]:
    """Every figure."""
    home, figures = folder / "fund", dict[str, float]()
    variables = os.environ | PORTS | NO_LIMITS | dict.fromkeys(VENDORS, BROKER) | {"FUND_HOME": str(home)}
    keys = [word for name, value in KEYS.items() for word in ("--key", f"{name}={write_key(folder / name, value)}")]
    options = (
        "--yes",
        "--mode",
        "paper",
        "--vendor",
        "alpaca",
        "--edgar",
        "Jane Doe jane@example.com",
        "--model",
        model,
    )
    with play_broker(folder / "exchange", tickers):
        started = time.monotonic()
        command = [sys.executable, "-m", "fund"]
        subprocess.run([*command, "init", *options, *keys], env=variables, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
        with (
            (folder / "output").open("w") as output,
            subprocess.Popen([*command, "run"], env=variables, stdout=output) as process,  # noqa: S603 - our own
        ):
            run, samples = psutil.Process(process.pid), list[float]()
            wait_until(
                lambda: process.poll() is not None or count_orders() > 0, lambda: samples.append(measure_memory(run))
            )
            figures["seconds from init to the first order"] = time.monotonic() - started
            figures["megabytes at most until then, training included"] = max(samples)
            wait_until(lambda: last_decision()[1] not in {"", "running"})
            before, idle = measure_processor(run), list[float]()
            ends = time.monotonic() + IDLE_SECONDS
            wait_until(lambda: time.monotonic() > ends, lambda: idle.append(measure_memory(run)))
            figures["megabytes idle, median"] = statistics.median(idle)
            figures["processor idle, per cent of a core"] = 100 * (measure_processor(run) - before) / IDLE_SECONDS
            figures["megabytes on disk after two years"] = measure_disk(home)
            figures["megabytes at work, largest"] = work(run)
            figures["megabytes on disk two sessions later"] = measure_disk(home)
            ended = time.monotonic()
            process.send_signal(signal.SIGINT)
            process.wait()
            figures["seconds from Ctrl-C to the end"] = time.monotonic() - ended
    return figures


def write_key(path: Path, value: str) -> Path:
    """A file with a key."""
    path.write_text(value)
    return path


def main() -> None:
    """Measure, and print each figure."""
    parser = argparse.ArgumentParser(prog="benchmarks.fund_run", description=__doc__)
    parser.add_argument("--tickers", type=int, default=120)
    parser.add_argument("--model", choices=("small", "full"), default="small")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), given.tickers, given.model)
    Console().print_json(json.dumps({name: round(value, 1) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
