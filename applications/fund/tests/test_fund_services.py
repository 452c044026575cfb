"""Processes: ports that are taken, services that fall, leftovers, and an environment without real accounts."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from fund.home import SERVICES, Home, Opening
from fund.lifetime import MemoryWatch, end_leftovers, opened
from fund.services import Addresses, Supervisor, check_port_free, environment, readable, record, recorded
from internal.errors import ConfigurationError, UnavailableError

SIMULATED = Opening(bars=None, details=None, seed=1, tickers=120)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A new folder."""
    return Home(tmp_path / "fund")


@pytest.fixture
def addresses(free_port: Callable[[], int]) -> Addresses:
    """Three free ports."""
    return Addresses({service: free_port() for service in SERVICES})


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that would sleep for a minute."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("text", ["http", "-1", "0", "65536", "80.5", ""])
def test_malformed_port(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """A port that is none is refused by the variable's name."""
    monkeypatch.setenv("DATAMANAGER_PORT", text)

    with pytest.raises(ConfigurationError, match="DATAMANAGER_PORT"):
        Addresses.from_environment()


def test_default_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without variables, the product's fixed ports."""
    for service in SERVICES:
        monkeypatch.delenv(f"{service.upper()}_PORT", raising=False)

    assert [Addresses.from_environment().ports[service] for service in SERVICES] == [8090, 8080, 8081]


def test_port_in_use() -> None:
    """A taken port is named together with the variable that moves it."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(ConfigurationError, match=f"Port {port} of exchange is in use.*EXCHANGE_PORT"):
            check_port_free("exchange", port)


def test_environment_has_no_real_account(home: Home, addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    """The offline fund never sees the keys of a real account, under any of their names."""
    names = ("ALPACA_API_SECRET", "APCA_API_SECRET_KEY", "POLYGON_API_KEY", "MASSIVE_API_KEY", "DUCKDB_SECRET")
    for name in names:
        monkeypatch.setenv(name, "real-account")

    for service in (*SERVICES, "models"):
        assert "real-account" not in environment(home, addresses, SIMULATED, service).values()


def test_service_that_falls_is_told_with_its_log(home: Home, addresses: Addresses) -> None:
    """A bars file that cannot be read ends the exchange; the message holds the reason, and the fund ends."""
    broken = home.root.parent / "bars.csv"
    broken.write_text("ticker,date,open,high,low,close,volume\nAAA,2024-01-02,1,2,0.5,abc,100\n")
    supervisor = Supervisor(home, addresses, Opening(bars=str(broken), details=None, seed=1, tickers=120))

    with pytest.raises(UnavailableError, match=r"(?s)exchange ended with exit code.*close"):
        supervisor.start("exchange")
    supervisor.stop()
    assert recorded(home) == {}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("exchange: row 2, column close", "exchange: row 2, column close"),
        ('{"event": "session_closed", "level": "info"}', "session_closed"),
        ('{"event": "Traceback:\\n  File x\\nValueError: the disk is full\\n"}', "ValueError: the disk is full"),
        ('{"event": "failed", "exception": "Traceback:\\nKeyError: 7"}', "KeyError: 7"),
        ("[1]", "[1]"),
        ("{half a line", "{half a line"),
    ],
)
def test_readable_log(line: str, expected: str) -> None:
    """What a person is shown of a log is a sentence, not a page of JSON."""
    assert expected == readable(line)


def test_killed_service_is_noticed(home: Home, addresses: Addresses) -> None:
    """`kill -9` of a service is told as what it is, with what to do."""
    supervisor = Supervisor(home, addresses, SIMULATED)
    supervisor.start("datamanager")
    supervisor.running["datamanager"].send_signal(signal.SIGKILL)
    supervisor.running["datamanager"].wait()

    with pytest.raises(UnavailableError, match=r"datamanager was ended by signal 9.*run `fund up` again"):
        supervisor.check()
    supervisor.stop()


def test_reused_process_id_is_not_ours(home: Home, sleeper: subprocess.Popen[bytes]) -> None:
    """A process that merely has the recorded id is neither shown nor ended."""
    record(home, os.getpid(), {"exchange": sleeper.pid})
    created = psutil.Process(sleeper.pid).create_time()
    text = home.processes.read_text()
    home.processes.write_text(text.replace(str(created), str(created - 100)))

    assert "exchange" not in recorded(home)


def test_leftovers_are_ended(home: Home, sleeper: subprocess.Popen[bytes]) -> None:
    """What a killed run left behind is ended and forgotten."""
    record(home, sleeper.pid, {})

    assert end_leftovers(home) == ["fund"]
    assert not psutil.pid_exists(sleeper.pid)
    assert not home.processes.exists()


def test_second_fund_on_the_same_folder(home: Home, addresses: Addresses, sleeper: subprocess.Popen[bytes]) -> None:
    """One folder, one fund at a time."""
    record(home, sleeper.pid, {})

    with pytest.raises(ConfigurationError, match="is up already"), opened(home, addresses, SIMULATED):
        pytest.fail("the folder was taken twice")
    assert sleeper.poll() is None


def test_other_market_in_the_same_folder(home: Home, addresses: Addresses) -> None:
    """A folder keeps its market; another seed is another fund."""
    home.save_opening(SIMULATED)
    asked = Opening(bars=None, details=None, seed=2, tickers=120)

    with pytest.raises(ConfigurationError, match=r"another market.*seed 1"), opened(home, addresses, asked):
        pytest.fail("two markets in one folder")


def test_memory_watch_sees_a_child() -> None:
    """The peak holds what a child took, measured here as 200 MiB on top of this process."""
    before = psutil.Process().memory_info().rss
    code = "import time; held = bytearray(200 * 1024**2); held[::4096] = b'x' * len(held[::4096]); time.sleep(2)"
    with (
        MemoryWatch() as watch,
        subprocess.Popen(  # noqa: S603 - our own code
            [sys.executable, "-c", code]
        ) as child,
    ):
        deadline = time.monotonic() + 10
        while child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)

    assert watch.peak_bytes() > before + 150 * 1024**2
