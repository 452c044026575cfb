"""Run one case: `fund up` in processes of its own, killed where the case says so, and its recording."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from libraries.python.tests.free_ports import free_ports
from parity.cases import HANG_SECONDS, ORDERS, Case, Kill
from parity.reading import read
from parity.recording import Recording
from parity.services import Ports, Services

POLL_SECONDS = 2.0
STRIKE_POLL_SECONDS = 0.2
LIMIT_SECONDS = 3600.0  # one step of one case; there is no other time limit, because the machine may be busy
LOG_LINES = 30
_PROCESSES = TypeAdapter(dict[str, dict[str, float]])


class RunFailedError(Exception):
    """`fund up` ended or did not get as far as the case needs; the message holds the end of what it printed."""


@dataclass(frozen=True)
class Fund:
    """One fund in a folder of its own.

    Args:
        folder: The folder; the fund's home and what `fund up` printed are in it.
        ports: Where its services listen.
        arguments: The market options of `fund up`.
    """

    folder: Path
    ports: Ports
    arguments: tuple[str, ...]

    @property
    def home(self) -> Path:
        """The fund's own folder."""
        return self.folder / "home"

    @property
    def services(self) -> Services:
        """Its services."""
        return Services(self.home, self.ports)

    @contextmanager
    def up(self, sessions: int) -> Generator[subprocess.Popen[bytes]]:
        """`fund up` in a process of its own; ended when the block is left."""
        command = [sys.executable, "-m", "fund", "up", *self.arguments, "--sessions", str(sessions)]
        with self._log().open("ab") as output:
            process = subprocess.Popen(command, env=self._environment(), stdout=output, stderr=subprocess.STDOUT)  # noqa: S603 - our own command
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()  # not SIGINT, which a shell that runs this in the background ignores
                process.wait()

    def wait(self, process: subprocess.Popen[bytes], reached: Callable[[], bool], seconds: float, what: str) -> None:
        """Ask again and again until it is true.

        Raises:
            RunFailedError: `fund up` ended before, or an hour has passed.
        """
        deadline = time.monotonic() + LIMIT_SECONDS
        while not reached():
            if process.poll() is not None:
                raise RunFailedError(f"`fund up` ended with {process.returncode} before {what}.\n{self._log_end()}")
            if time.monotonic() > deadline:
                raise RunFailedError(f"{what}: not reached after {LIMIT_SECONDS:.0f} seconds.\n{self._log_end()}")
            time.sleep(seconds)

    def process_id(self, service: str) -> int:
        """The process id of a service."""
        entries = _PROCESSES.validate_python(json.loads((self.home / "processes.json").read_text()))
        return int(entries[service]["pid"])

    def down(self) -> None:
        """`fund down`: end whatever a failed step left running."""
        command = [sys.executable, "-m", "fund", "down"]
        with self._log().open("ab") as output:
            subprocess.run(command, env=self._environment(), stdout=output, stderr=subprocess.STDOUT, check=False)  # noqa: S603 - our own command

    def _environment(self) -> dict[str, str]:
        return os.environ | self.ports.environment() | {"FUND_HOME": str(self.home), "COLUMNS": "200"}

    def _log(self) -> Path:
        return self.folder / "fund_up.log"

    def _log_end(self) -> str:
        return "\n".join(self._log().read_text(errors="replace").splitlines()[-LOG_LINES:])


def run(case: Case) -> Recording:
    """Run a case to its end in a temporary folder and read what it did."""
    with tempfile.TemporaryDirectory(prefix=f"parity-{case.name}-") as folder:
        fund = Fund(Path(folder), Ports(*free_ports(3)), case.arguments)
        try:
            for kill in case.kills:
                play_killed(fund, kill)
            with fund.up(case.sessions) as process:
                wait_finished(fund, process, case.sessions)
                return read(case.name, fund.services)
        finally:
            fund.down()


def wait_finished(fund: Fund, process: subprocess.Popen[bytes], sessions: int) -> None:
    """Wait until so many sessions are traded and every event is handled, seen twice in a row."""
    for _ in range(2):
        what = f"{sessions} sessions were traded"
        fund.wait(process, lambda: fund.services.finished(sessions), POLL_SECONDS, what)
        time.sleep(POLL_SECONDS)


def play_killed(fund: Fund, kill: Kill) -> None:
    """Trade up to the kill, inject its faults, and kill the portfoliomanager when the last of them strikes.

    The faults of the opening portfolio are injected while the bars are collected. `fund up` is left ended, as it is
    when one of its services is killed; the next one resumes.
    """
    if kill.after_sessions > 0:
        with fund.up(kill.after_sessions) as process:
            wait_finished(fund, process, kill.after_sessions)
            inject(fund, kill)
    with fund.up(kill.after_sessions + 1) as process:
        if kill.after_sessions == 0:
            fund.wait(process, fund.services.is_up, POLL_SECONDS, "the exchange was up")
            inject(fund, kill)
        fund.wait(process, lambda: struck(fund), STRIKE_POLL_SECONDS, f"the fault {kill} struck")
        os.kill(fund.process_id("portfoliomanager"), signal.SIGKILL)
        if process.wait() == 0:
            raise RunFailedError(f"`fund up` ended with 0 although the portfoliomanager was killed at {kill}.")


def inject(fund: Fund, kill: Kill) -> None:
    """Inject the lost answers, if any, and the request that hangs."""
    if kill.lost_answers:
        lost = {"kind": "hang", "method": "POST", "path": ORDERS, "processed": True, "seconds": 0}
        fund.services.inject({**lost, "count": kill.lost_answers})
    request = {"kind": "hang", "method": kill.method, "path": kill.path, "processed": kill.processed}
    fund.services.inject({**request, "count": 1, "seconds": HANG_SECONDS})


def struck(fund: Fund) -> bool:
    """Whether every injected fault has struck."""
    return fund.services.is_up() and fund.services.faults_left() == 0
