"""Processes: ports in use, services that end by themselves, leftovers, an environment without real accounts."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import pytest

from fund.addresses import Addresses, check_port_free
from fund.folder import FundFolder
from fund.market_settings import REGIME, MarketSettings
from fund.memory import MemoryWatch
from fund.processes import end_leftovers, end_process, record_processes, running_processes
from fund.service_environment import OfflineEnvironments
from fund.services import Service
from fund.settings.secrets import Secret, secret_file, write_secret
from fund.settings.sections import switch_volatility
from fund.supervisor import Supervisor, open_fund, summarize_log_line
from internal.errors import ConfigurationError, UnavailableError
from libraries.python.tests.free_ports import free_ports

SIMULATED = MarketSettings(bars=None, details=None, seed=1, tickers=120)


@pytest.fixture
def folder(tmp_path: Path) -> FundFolder:
    """A new folder."""
    return FundFolder(tmp_path / "fund")


@pytest.fixture
def addresses() -> Addresses:
    """Free ports."""
    return Addresses(dict(zip(Service, free_ports(len(Service)), strict=True)))


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that would sleep for a minute."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("text", ["http", "-1", "0", "65536", "80.5"])
def test_malformed_port(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """A port that is none is refused by the variable's name."""
    monkeypatch.setenv("DATAMANAGER_PORT", text)

    with pytest.raises(ConfigurationError, match="DATAMANAGER_PORT"):
        Addresses.from_environment()


def test_default_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without variables, the product's fixed ports."""
    for service in Service:
        monkeypatch.delenv(f"{service.upper()}_PORT", raising=False)

    assert [Addresses.from_environment().ports[service] for service in Service] == [8090, 8080, 8081, 8082]


def test_port_in_use() -> None:
    """A taken port is named together with the variable that moves it."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(ConfigurationError, match=f"Port {port} of exchange is in use.*EXCHANGE_PORT"):
            check_port_free(Service.EXCHANGE, port)


@pytest.mark.parametrize("service", list(Service))
def test_every_port_is_checked_first(folder: FundFolder, addresses: Addresses, service: Service) -> None:
    """A taken port of a service that starts last is named before the first step, and nothing is written."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", addresses.ports[service]))
        other.listen()
        with (
            pytest.raises(ConfigurationError, match=f"of {service} is in use.*{service.upper()}_PORT"),
            open_fund(folder, addresses, SIMULATED, services=tuple(Service)),
        ):
            pytest.fail("the fund was opened")
    assert list(folder.root.iterdir()) == []


def test_environment_has_no_real_account(
    folder: FundFolder, addresses: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The offline fund never sees the keys of a real account, under any of their names."""
    names = (
        "ALPACA_API_SECRET",
        "APCA_API_SECRET_KEY",
        "POLYGON_API_KEY",
        "MASSIVE_API_KEY",
        "DUCKDB_SECRET",
        "EDGAR_USER_AGENT",
    )
    for name in names:
        monkeypatch.setenv(name, "real-account")

    environments = OfflineEnvironments(folder, addresses, SIMULATED)
    for service in Service:
        assert "real-account" not in environments.of_service(service).values()
    assert "real-account" not in environments.of_models().values()


def test_targets_of_the_offline_fund(folder: FundFolder, addresses: Addresses) -> None:
    """Messages of a simulated fund go to the targets of its folder; its keys of real accounts stay where they are."""
    for secret in Secret:
        write_secret(folder.root, secret, "real-account")
    given = OfflineEnvironments(folder, addresses, SIMULATED, {}).of_service(Service.PORTFOLIOMANAGER)
    files = [value for name, value in given.items() if name.endswith("_FILE")]
    assert files == [given["NOTIFICATION_URLS_FILE"]] == [str(secret_file(folder.root, Secret.NOTIFICATION_URLS))]
    assert "real-account" not in given.values()


def test_vendor_of_the_offline_fund(folder: FundFolder, addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    """Either vendor is the fund's own exchange; a lake that asks no vendor is refused with what to do."""
    monkeypatch.setenv("MARKET_DATA_VENDOR", "alpaca")
    variables = OfflineEnvironments(folder, addresses, SIMULATED).of_service(Service.DATAMANAGER)
    frequent = OfflineEnvironments(folder, addresses, replace(SIMULATED, events="frequent", signal="none"))
    exchange = frequent.of_service(Service.EXCHANGE)
    monkeypatch.setenv("MARKET_DATA_VENDOR", "files")

    assert variables["MARKET_DATA_VENDOR"] == "alpaca"
    assert variables["ALPACA_DATA_URL"] == variables["POLYGON_BASE_URL"] == addresses.url(Service.EXCHANGE)
    assert variables["ALPACA_API_SECRET"] == exchange["EXCHANGE_API_SECRET"]
    assert (exchange["EXCHANGE_EVENTS"], exchange["EXCHANGE_SIGNAL"]) == ("frequent", "none")
    assert variables["ALPACA_DATA_DELAY_MINUTES"] == exchange["EXCHANGE_SIP_DELAY_MINUTES"] == "0"
    with pytest.raises(ConfigurationError, match="set it to polygon or alpaca"):
        OfflineEnvironments(folder, addresses, SIMULATED).of_service(Service.DATAMANAGER)


def test_settings_of_the_exchange_reach_it_or_are_refused(folder: FundFolder, addresses: Addresses) -> None:
    """Each setting of the exchange that a user may set: none is dropped without a word; keys are the fund's own."""

    def start_with(**variables: str) -> dict[str, str]:
        market = switch_volatility(SIMULATED, variables)
        return OfflineEnvironments(folder, addresses, market, variables).of_service(Service.EXCHANGE)

    assert start_with(EXCHANGE_REGIME_DATE="2026-03-02")["EXCHANGE_REGIME_DATE"] == "2026-03-02"
    assert start_with(EXCHANGE_BARS_STATUS="DELAYED")["EXCHANGE_BARS_STATUS"] == "DELAYED"
    assert start_with(EXCHANGE_API_SECRET="another") == start_with()  # noqa: S106 - no secret
    for name in ("EXCHANGE_START_DATE", "EXCHANGE_SIP_DELAY_MINUTES"):
        with pytest.raises(ConfigurationError, match=f"unset {name}: "):
            start_with(**{name: "2026-03-02"})


@pytest.mark.parametrize(("name", "value"), [("EXCHANGE_START_DATE", "2026-03-02"), ("MARKET_DATA_VENDOR", "files")])
def test_a_refused_setting_comes_before_the_first_step(
    folder: FundFolder, addresses: Addresses, name: str, value: str
) -> None:
    """The fund does not open, so that no step is shown and no service starts."""
    with pytest.raises(ConfigurationError, match=name), open_fund(folder, addresses, SIMULATED, {name: value}):
        pytest.fail("the fund opened")
    assert not running_processes(folder)


@pytest.mark.parametrize(
    ("market", "variables", "message"),
    [
        (SIMULATED, {"EXCHANGE_REGIME_DATE": "soon"}, "EXCHANGE_REGIME_DATE is wrong"),
        (SIMULATED, {"EXCHANGE_REGIME_MULTIPLIER": "20"}, "EXCHANGE_REGIME_MULTIPLIER is wrong"),
        (SIMULATED, {"EXCHANGE_REGIME_SESSIONS": "0"}, "EXCHANGE_REGIME_SESSIONS is wrong"),
        (SIMULATED, {"EXCHANGE_REGIME_SESSIONS": "40"}, "EXCHANGE_REGIME_SESSIONS is wrong: it needs EXCHANGE_REGIME_"),
        (replace(SIMULATED, bars="bars.csv"), {"EXCHANGE_REGIME_DATE": "2026-03-02"}, "EXCHANGE_REGIME_DATE is wrong"),
        (replace(SIMULATED, details="details.csv"), {}, "it belongs to EXCHANGE_BARS_FILE: set both, or neither"),
    ],
)
def test_a_market_that_cannot_be_is_refused(market: MarketSettings, variables: Mapping[str, str], message: str) -> None:
    """A switch of volatility that is wrong or beside replayed bars, and details without bars."""
    with pytest.raises(ConfigurationError, match=message):
        switch_volatility(market, variables)


def test_service_that_ends_is_reported_with_its_log(folder: FundFolder, addresses: Addresses) -> None:
    """A bars file that cannot be read ends the exchange; the message is its sentence, and the fund ends."""
    broken = folder.root.parent / "bars.csv"
    broken.write_text("ticker,date,open,high,low,close,volume\nAAA,2024-01-02,1,2,0.5,abc,100\n")
    market = MarketSettings(bars=str(broken), details=None, seed=1, tickers=120)
    supervisor = Supervisor(folder, addresses, OfflineEnvironments(folder, addresses, market))

    with pytest.raises(ConfigurationError, match=r"^\S*bars\.csv: line 2, column close: 'abc', expected a number$"):
        supervisor.start(Service.EXCHANGE)
    supervisor.stop()
    assert running_processes(folder) == {}


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
def test_summary_of_a_log_line(line: str, expected: str) -> None:
    """A log line is shown as its message, not as JSON or a whole traceback."""
    assert expected == summarize_log_line(line)


def test_killed_service_is_reported(folder: FundFolder, addresses: Addresses) -> None:
    """The message says that a service was killed, by which signal, and what to do."""
    supervisor = Supervisor(folder, addresses, OfflineEnvironments(folder, addresses, SIMULATED))
    supervisor.start(Service.DATAMANAGER)
    supervisor.running[Service.DATAMANAGER].send_signal(signal.SIGKILL)
    supervisor.running[Service.DATAMANAGER].wait()

    with pytest.raises(UnavailableError, match=r"datamanager was ended by signal 9.*run the same command again"):
        supervisor.check()
    supervisor.stop()


def test_reused_process_id_is_ignored(folder: FundFolder, sleeper: subprocess.Popen[bytes]) -> None:
    """A process that merely has the recorded id is neither shown nor ended."""
    record_processes(folder, os.getpid(), {Service.EXCHANGE: sleeper.pid}, {Service.EXCHANGE: 8090})
    created = psutil.Process(sleeper.pid).create_time()
    text = folder.processes.read_text()
    folder.processes.write_text(text.replace(str(created), str(created - 100)))

    assert "exchange" not in running_processes(folder)


def test_leftovers_are_ended(folder: FundFolder, sleeper: subprocess.Popen[bytes]) -> None:
    """Processes that a killed run left behind are ended, and their record is deleted."""
    record_processes(folder, sleeper.pid, {}, {})

    assert end_leftovers(folder) == ["fund"]
    assert sleeper.wait(10) == -signal.SIGTERM
    assert not folder.processes.exists()


def test_a_zombie_has_ended() -> None:
    """A process whose parent never waits for it is not waited for until the grace period is over."""
    code = "import subprocess as s; c = s.Popen(['sleep', '3600']); print(c.pid, flush=True); input()"
    with subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-S", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        end_process(child, grace=3600.0)
        assert child.status() == psutil.STATUS_ZOMBIE


def test_second_fund_on_the_same_folder(
    folder: FundFolder, addresses: Addresses, sleeper: subprocess.Popen[bytes]
) -> None:
    """A second fund on a folder in use is refused, and the first keeps running."""
    record_processes(folder, sleeper.pid, {}, {})

    with pytest.raises(ConfigurationError, match="is up already"), open_fund(folder, addresses, SIMULATED):
        pytest.fail("two funds in one folder")
    assert sleeper.poll() is None


def test_other_market_in_the_same_folder(folder: FundFolder, addresses: Addresses) -> None:
    """A folder keeps its market; another seed is another fund."""
    folder.save_market(replace(SIMULATED, session="2024-12-31"))
    requested = MarketSettings(bars=None, details=None, seed=2, tickers=120)

    with pytest.raises(ConfigurationError, match=r"another market.*seed 1"), open_fund(folder, addresses, requested):
        pytest.fail("two markets in one folder")


def test_market_that_never_opened(folder: FundFolder, addresses: Addresses) -> None:
    """Until the exchange has opened, nothing is written, and a folder with such a market takes any other."""
    with open_fund(folder, addresses, SIMULATED) as (_, market):
        assert market == SIMULATED
    assert folder.read_market() is None
    folder.save_market(SIMULATED)
    requested = replace(SIMULATED, seed=2)
    with open_fund(folder, addresses, requested) as (_, market):
        assert market == requested


def test_a_switch_of_volatility_is_remembered(folder: FundFolder, addresses: Addresses) -> None:
    """A fund goes on with the switch that it opened with, without the variables; another one is another market."""
    switch = {"EXCHANGE_REGIME_DATE": "2025-02-03", "EXCHANGE_REGIME_MULTIPLIER": "2.5"}
    with open_fund(folder, addresses, switch_volatility(SIMULATED, switch)) as (_, market):
        folder.save_market(replace(market, session="2024-12-31"))
    with open_fund(folder, addresses, SIMULATED, {}) as (supervisor, resumed):
        given = supervisor.environments.of_service(Service.EXCHANGE)
    assert {name: value for name, value in given.items() if "REGIME" in name} == switch
    assert resumed.describe() == "simulated, 120 tickers, seed 1, volatility 2.5 times for 60 sessions from 2025-02-03"
    with open_fund(folder, addresses, switch_volatility(SIMULATED, switch | {"EXCHANGE_REGIME_SESSIONS": "60"})) as (
        _,
        same,
    ):
        assert same == resumed
    for other in ({"EXCHANGE_REGIME_DATE": "2025-02-03"}, switch | {"EXCHANGE_REGIME_SESSIONS": "20"}):
        with (
            pytest.raises(ConfigurationError, match=r"another market \(simulated, .* volatility 2\.5 times"),
            open_fund(folder, addresses, switch_volatility(resumed, other)),
        ):
            pytest.fail("two markets in one folder")
    folder.save_market(replace(SIMULATED, session="2024-12-31", regime_date=""))
    with (
        pytest.raises(
            ConfigurationError, match=r"another market .*variables and keys of fund\.toml that name a market"
        ),
        open_fund(folder, addresses, switch_volatility(SIMULATED, switch)),
    ):
        pytest.fail("a switch in a market that opened without")


def test_a_switch_of_volatility_from_before_it_was_recorded(folder: FundFolder, addresses: Addresses) -> None:
    """Such a fund goes on with the variables that it needed then, which the exchange compares with its account."""
    opened = replace(SIMULATED, session="2024-12-31", events="frequent")
    recorded = {name: value for name, value in asdict(opened).items() if name not in REGIME}
    folder.make_private()
    (folder.root / "opening.json").write_text(json.dumps(recorded))
    switched = switch_volatility(SIMULATED, {"EXCHANGE_REGIME_DATE": "2025-02-03"})
    with open_fund(folder, addresses, switched) as (supervisor, market):
        given = supervisor.environments.of_service(Service.EXCHANGE)
    assert {name: value for name, value in given.items() if "REGIME" in name} == {"EXCHANGE_REGIME_DATE": "2025-02-03"}
    assert market == replace(opened, regime_date="2025-02-03")
    with open_fund(folder, addresses, SIMULATED) as (_, plain):
        assert plain == opened


def test_another_file(folder: FundFolder, addresses: Addresses) -> None:
    """A fund that replays a file goes on with another one from where it is; the exchange compares the bars."""
    opened = replace(SIMULATED, bars="one.csv", details="details.csv", session="2024-12-31", start="2024-12-31")
    folder.save_market(opened)
    requested = replace(SIMULATED, bars="longer.csv")
    with open_fund(folder, addresses, requested) as (_, market):
        assert market == replace(opened, bars="longer.csv")


def test_memory_watch_counts_children() -> None:
    """The peak includes a child's memory: here 200 MiB on top of this process."""
    before = psutil.Process().memory_info().rss
    code = "import time; held = bytearray(200 * 1024**2); held[::4096] = b'x' * len(held[::4096]); time.sleep(2)"
    with (
        MemoryWatch() as watch,
        subprocess.Popen(  # noqa: S603 - our own code
            [sys.executable, "-c", code]
        ) as child,
    ):
        deadline = time.monotonic() + 120
        while child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)

    assert watch.peak_bytes() > before + 150 * 1024**2
