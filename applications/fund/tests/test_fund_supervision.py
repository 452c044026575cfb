"""What keeps a running fund in order: Ctrl-C at any moment, restarts with pauses, logs that rotate."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import override

import psutil
import pytest

from fund.addresses import Addresses
from fund.command_process import run_process
from fund.folder import FundFolder
from fund.interrupts import Interrupts
from fund.log_rotation import rotate_log, rotated
from fund.market_settings import MarketSettings
from fund.restarts import RestartPolicy, Restarts
from fund.service_environment import OfflineEnvironments
from fund.services import Service
from fund.supervisor import Supervisor
from internal.errors import UnavailableError

SLEEP = ["sleep", "60"]


@pytest.fixture
def interrupts() -> Iterator[Interrupts]:
    """Installed signals; the test runner's own come back afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    installed = Interrupts(apart=0.0)
    installed.install()
    yield installed
    for number, handler in before.items():
        signal.signal(number, handler)


@dataclass
class Sleepers(Supervisor):
    """A supervisor whose services are sleeping processes; `refuses` says that one cannot be started again."""

    refuses: bool = False
    restarted: list[Service] = field(default_factory=list[Service])

    @override
    def restart(self, service: Service) -> None:
        self.restarted.append(service)
        if self.refuses:
            raise UnavailableError("the port is in use")
        self.running[service] = subprocess.Popen(SLEEP)  # noqa: S603 - our own words


@pytest.fixture
def sleepers(tmp_path: Path) -> Iterator[Sleepers]:
    """Two sleeping services."""
    folder, addresses = FundFolder(tmp_path), Addresses(dict.fromkeys(Service, 9))
    market = MarketSettings(bars=None, details=None, seed=1, tickers=40)
    supervisor = Sleepers(folder, addresses, OfflineEnvironments(folder, addresses, market))
    folder.logs.mkdir()
    for service in (Service.DATAMANAGER, Service.PORTFOLIOMANAGER):
        folder.log(service).write_text("its last words\n")
        supervisor.running[service] = subprocess.Popen(SLEEP)  # noqa: S603 - our own words
    yield supervisor
    supervisor.stop()


def end(supervisor: Sleepers, service: Service) -> None:
    """Kill a service, and wait until it has ended."""
    supervisor.running[service].kill()
    supervisor.running[service].wait()


def strike() -> None:
    """Send this process SIGINT; Python runs its handler before the call returns."""
    signal.raise_signal(signal.SIGINT)


def test_the_first_interrupt_raises_once(interrupts: Interrupts) -> None:
    """The first Ctrl-C ends the command, later ones only hurry what ends."""
    hurried: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        strike()
    strike()
    with interrupts.ending(lambda: hurried.append("kill")):
        strike()

    assert hurried == ["kill"]


def test_interrupt_while_a_process_starts(interrupts: Interrupts) -> None:
    """A Ctrl-C within the block strikes at its end, so that what was started is known."""
    done: list[str] = []

    def start() -> None:
        with interrupts.held():
            strike()
            done.append("started")
        done.append("after")

    with pytest.raises(KeyboardInterrupt):
        start()
    assert done == ["started"]


def test_interrupt_while_the_command_ends(interrupts: Interrupts) -> None:
    """The first Ctrl-C while services end in order raises nothing; the second kills them."""
    hurried: list[str] = []
    with interrupts.ending(lambda: hurried.append("kill")):
        strike()
        assert hurried == []
        strike()

    assert hurried == ["kill"]


def test_a_forwarded_signal_is_no_second_one(interrupts: Interrupts) -> None:
    """A signal that a script sends to the group reaches the fund twice within moments: nothing is killed."""
    interrupts.apart = 60.0
    hurried: list[str] = []
    with interrupts.ending(lambda: hurried.append("kill")):
        strike()
        strike()

    assert hurried == []


def test_interrupted_command_leaves_nothing(tmp_path: Path) -> None:
    """A command that started another process and ignores SIGTERM is killed at the second Ctrl-C, with its child."""
    pids = tmp_path / "pids"
    child = (
        "import os, signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "inner = subprocess.Popen(['sleep', '60'])\n"
        f"open({str(pids)!r} + '.new', 'w').write(f'{{os.getpid()}} {{inner.pid}}')\n"
        f"os.rename({str(pids)!r} + '.new', {str(pids)!r})\n"
        "time.sleep(60)\n"
    )
    program = (
        "import sys\n"
        "from fund.command_process import run_process\n"
        "from fund.interrupts import INTERRUPTS\n"
        "INTERRUPTS.install()\n"
        "try:\n"
        f"    run_process([sys.executable, '-c', {child!r}], {{}})\n"
        "except KeyboardInterrupt:\n"
        "    sys.exit(130)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], start_new_session=True) as process:  # noqa: S603 - our own
        wait_until(pids.exists)
        found = [psutil.Process(int(pid)) for pid in pids.read_text().split()]

        def is_over() -> bool:
            os.killpg(process.pid, signal.SIGINT)
            return process.poll() is not None

        wait_until(is_over)
    assert process.returncode in {130, -signal.SIGINT}  # the last one may strike while Python itself ends
    psutil.wait_procs(found, timeout=10)
    assert [one for one in found if one.is_running() and one.status() != psutil.STATUS_ZOMBIE] == []


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait for a condition, two minutes at most."""
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_command_that_ends_by_itself() -> None:
    """Its exit code is the answer."""
    assert run_process(["sh", "-c", "exit 3"], dict(os.environ)) == 3


def test_pauses_grow_and_end() -> None:
    """Each restart within the window doubles the pause, up to a minute; then it is given up."""
    policy = RestartPolicy(attempts=8)
    assert [policy.pause(number) for number in range(9)] == [1, 2, 4, 8, 16, 32, 60, 60, None]


def test_an_ended_service_is_started_again(sleepers: Sleepers) -> None:
    """After its pause, alone, and with a sentence; the other service is left as it is."""
    said: list[str] = []
    restarts = Restarts(sleepers, said.append)
    other = sleepers.running[Service.DATAMANAGER].pid
    restarts.keep_running(100.0)
    end(sleepers, Service.PORTFOLIOMANAGER)
    restarts.keep_running(101.0)
    restarts.keep_running(101.9)
    assert sleepers.restarted == []
    restarts.keep_running(102.0)

    assert sleepers.restarted == [Service.PORTFOLIOMANAGER]
    assert sleepers.running[Service.PORTFOLIOMANAGER].poll() is None
    assert sleepers.running[Service.DATAMANAGER].pid == other
    assert said[0].startswith("portfoliomanager was ended by signal 9; it is started again in 1 s")
    assert said[1] == "portfoliomanager runs again."


def test_a_service_that_ends_for_ever(sleepers: Sleepers) -> None:
    """One that cannot be started is tried so often, then the fund ends with the end of its log."""
    said: list[str] = []
    restarts = Restarts(sleepers, said.append, RestartPolicy(attempts=3))
    sleepers.refuses = True
    end(sleepers, Service.DATAMANAGER)
    said_at_last = r"again, after 3 restarts in 15 minutes: the fund ends(?s:.*)last words"
    with pytest.raises(UnavailableError, match=said_at_last):
        list(map(restarts.keep_running, range(60)))

    assert len(sleepers.restarted) == 3
    assert said.count("datamanager did not start: the port is in use") == 3


def test_old_restarts_do_not_count(sleepers: Sleepers) -> None:
    """A service that ends once an hour is started again every time."""
    restarts = Restarts(sleepers, lambda _sentence: None, RestartPolicy(attempts=1))
    for hour in range(4):
        end(sleepers, Service.DATAMANAGER)
        restarts.keep_running(3600.0 * hour)
        restarts.keep_running(3600.0 * hour + 1)

    assert len(sleepers.restarted) == 4


def test_rotation_under_a_writer(tmp_path: Path) -> None:
    """The writer goes on in the emptied file, every line is in one file, and only so many are kept."""
    log = tmp_path / "service.log"
    with log.open("ab", buffering=0) as writer:
        for number in range(6):
            writer.write(b"%d" % number * 100)
            assert rotate_log(log, 99, kept=2)
        writer.write(b"last")
        assert not rotate_log(log, 99, kept=2)

    assert log.read_bytes() == b"last"
    assert [rotated(log, number).read_bytes()[:1] for number in (1, 2)] == [b"5", b"4"]
    assert not rotated(log, 3).exists()
    assert rotated(log, 1).stat().st_mode & 0o777 == 0o600


def test_a_log_that_is_not_there(tmp_path: Path) -> None:
    """Nothing is rotated before the first line."""
    assert not rotate_log(tmp_path / "none.log", 10, kept=2)
