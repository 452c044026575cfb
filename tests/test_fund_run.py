"""`fund run` as an owner meets it: init, a first run with the exchange as the broker, a fault, Ctrl-C, the next run."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
import psutil
import pytest
from fund_command import FundCommand, read_until

from libraries.python.tests.free_ports import free_ports

KEYS = {"ALPACA_API_KEY_ID": "PKOWNER", "ALPACA_API_SECRET": "an owner's secret"}
AT_ONCE = {  # neither the real vendors' limits nor the month of the strategy
    "ALPACA_DATA_DELAY_MINUTES": "0",
    "ALPACA_DATA_REQUESTS_PER_MINUTE": "0",
    "EDGAR_REQUESTS_PER_SECOND": "0",
    "BARS_DELAY_MINUTES": "0",
    "STRATEGY_PARAMETERS": "schedule=daily",
}
VENDORS = ("ALPACA_BASE_URL", "ALPACA_DATA_URL", "EDGAR_BASE_URL", "EDGAR_DATA_BASE_URL")
INIT = ("init", "--yes", "--mode", "paper", "--vendor", "alpaca", "--edgar", "Jane Doe jane@example.com")
pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An exchange of 60 tickers in the place of the broker and of every vendor."""
    state, port = tmp_path_factory.mktemp("exchange"), free_ports(1)[0]
    variables = {
        "STATE_DIRECTORY": str(state),
        "EXCHANGE_API_KEY_ID": KEYS["ALPACA_API_KEY_ID"],
        "EXCHANGE_API_SECRET": KEYS["ALPACA_API_SECRET"],
        "EXCHANGE_SIP_DELAY_MINUTES": "0",
        "EXCHANGE_TICKER_COUNT": "60",
    }
    words = [sys.executable, "-m", "internal.http.run", "exchange.server:create_application", "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(words, env=os.environ | variables, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - our own
        wait_until(lambda: answers(f"{url}/health"))
        yield url
        process.terminate()


@pytest.fixture(scope="module")
def fund(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FundCommand]:
    """An owner with an empty folder; whatever is left is ended afterwards."""
    command = FundCommand(tmp_path_factory.mktemp("owner") / "fund")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (AT_ONCE | dict.fromkeys(VENDORS, broker)).items():
            patch.setenv(name, value)
        yield command
        command.run("down")


@pytest.fixture(scope="module")
def processes() -> list[subprocess.Popen[str]]:
    """The run of the fund, once it has started."""
    return []


def wait_until(holds: Callable[[], bool], seconds: float = 180) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def answers(url: str) -> bool:
    """Whether an address answers with success."""
    try:
        return httpx.get(url, timeout=5).is_success
    except httpx.TransportError:
        return False


def recorded(fund: FundCommand) -> list[psutil.Process]:
    """Every process that the fund has written down."""
    entries = json.loads((fund.home / "processes.json").read_text())
    return [psutil.Process(entry["pid"]) for entry in entries.values()]


def left(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run."""
    return [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def keys(folder: Path, values: Mapping[str, str]) -> list[str]:
    """The options that name files with the keys."""
    for name, value in values.items():
        (folder / name).write_text(value)
    return [word for name in values for word in ("--key", f"{name}={folder / name}")]


def test_wrong_keys_are_refused(fund: FundCommand, tmp_path: Path) -> None:
    """The broker refuses them, and nothing is written."""
    code, printed = fund.run(*INIT, *keys(tmp_path, dict.fromkeys(KEYS, "PKWRONG")))

    assert code == 1
    assert "refuses the keys (40" in printed
    assert not fund.home.exists()


def test_init(fund: FundCommand, tmp_path: Path) -> None:
    """With the right keys the broker's account is shown, and no key."""
    code, printed = fund.run(*INIT, "--strategy", "strategies/momentum.py:Momentum", *keys(tmp_path, KEYS))

    assert code == 0, printed
    assert "The broker answers: account " in printed
    assert KEYS["ALPACA_API_SECRET"] not in printed


def test_first_orders(fund: FundCommand, broker: str, processes: list[subprocess.Popen[str]]) -> None:
    """The first run collects and starts everything; the scheduler has the last session decided, orders are sent."""
    processes.append(fund.start("run"))
    printed = read_until(processes[0], "The fund stays up")
    wait_until(lambda: len(httpx.get(f"{broker}/control/orders", timeout=30).json()["orders"]) > 0)
    code, status = fund.run("status")

    assert code == 0, status
    assert " SIMULATED  " in printed
    assert " SIMULATED  " in status
    assert "scheduler" in status


def test_private(fund: FundCommand) -> None:
    """Nobody else may read what the fund and its services wrote."""
    assert [path for path in fund.home.rglob("*") if path.exists() and path.stat().st_mode & 0o077] == []


def test_killed_service(fund: FundCommand) -> None:
    """It is started again, and the fund's log says so."""
    killed, log = fund.process("datamanager"), fund.home / "logs" / "fund.log"
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: log.exists() and "datamanager runs again" in log.read_text())

    assert fund.process("datamanager") != killed
    assert answers(fund.url(1, "/health"))


def test_interrupted_three_times(fund: FundCommand, processes: list[subprocess.Popen[str]]) -> None:
    """It ends without a traceback, and no process is left."""
    running, process = recorded(fund), processes[0]
    for _ in range(3):
        process.send_signal(signal.SIGINT)
    assert process.wait(60) in {0, -signal.SIGINT}  # the last one may strike while Python itself ends
    assert process.stdout is not None

    assert "Traceback" not in process.stdout.read()
    assert left(running) == []


def test_next_run_and_down(fund: FundCommand) -> None:
    """It collects nothing again, and `fund down` from another terminal ends all of it."""
    process = fund.start("run")
    printed = read_until(process, "The fund stays up")
    running = recorded(fund)
    code, ended = fund.run("down")

    assert "the scheduler collects what is missing" in printed
    assert (code, process.wait(30)) == (0, 0)
    assert "portfoliomanager" in ended
    assert left(running) == []


def test_folder_of_another_mode(fund: FundCommand) -> None:
    """The offline fund does not start on a paper fund's lake."""
    code, printed = fund.run("up", "--once")

    assert code == 1
    assert "holds a paper fund" in printed
