"""An owner at the terminal: the fund's commands, and waiting for what must come of them."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, override

import httpx
import psutil
import pytest
from fund_command import FundCommand, read_until

PATIENCE_SECONDS = 300.0
AT_ONCE = {  # neither the vendors' limits, nor a month between decisions
    "ALPACA_DATA_DELAY_MINUTES": "0",
    "ALPACA_DATA_REQUESTS_PER_MINUTE": "0",
    "POLYGON_REQUESTS_PER_MINUTE": "0",
    "EDGAR_REQUESTS_PER_SECOND": "0",
    "BARS_DELAY_MINUTES": "0",
    "OPEN_DELAY_MINUTES": "0",
    "STRATEGY_PARAMETERS": "schedule=daily",
}


def wait_for[Answer](find: Callable[[], Answer]) -> Answer:
    """What is found, as soon as it is something; asked again while a service does not answer."""
    deadline, last = time.monotonic() + PATIENCE_SECONDS, "nothing was found"
    while time.monotonic() < deadline:
        try:
            if answer := find():
                return answer
        except (httpx.HTTPError, psutil.Error, OSError) as error:
            last = repr(error)
        time.sleep(0.2)
    raise AssertionError(last)


@dataclass
class Owner:
    """The owner of one fund.

    Attributes:
        messages: The titles of what the fund sent, newest last.
        running: `fund run`, once it was started.
    """

    fund: FundCommand
    messages: list[str] = field(default_factory=list[str])
    running: subprocess.Popen[str] | None = None

    def start(self) -> str:
        """`fund run` until it waits for the next session; what it printed."""
        self.running = self.fund.start("run")
        return read_until(self.running, "The fund stays up")

    def stop(self) -> str:
        """Ctrl-C; what was printed since, once the command has ended with 0."""
        assert self.running is not None
        self.running.send_signal(signal.SIGINT)
        printed, _ = self.running.communicate(timeout=60)
        assert self.running.returncode == 0, printed
        return printed

    def type(self, words: str, typed: str = "") -> tuple[int, str]:
        """A command with what is typed at its prompts; its exit code and what it printed."""
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "fund", *shlex.split(words)],
            env=self.fund.variables,
            input=typed,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout

    def wake_scheduler(self) -> None:
        """Kill the scheduler, which is started again as after a night: it does not believe a clock that leaps."""
        killed = self.fund.process("scheduler")
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda: self.fund.process("scheduler") != killed)

    def wait_decided(self, session: str) -> None:
        """Wait until the scheduler has seen that the session was decided."""
        wait_for(lambda: self.run_of("decision", session)["outcome"] in {"done", "late"})

    def run_of(self, kind: str, session: str) -> dict[str, Any]:
        """The scheduler's run of a session; an empty outcome while there is none."""
        runs: list[dict[str, Any]] = httpx.get(self.fund.url(3, "/schedule"), timeout=30).json()["runs"]
        found = [run for run in runs if (run["kind"], run["session"]) == (kind, session)]
        return found[0] if found else {"outcome": ""}

    def problem(self) -> str:
        """Why the scheduler waits."""
        return str(httpx.get(self.fund.url(3, "/schedule"), timeout=30).json()["problem"])

    def orders(self) -> list[dict[str, Any]]:
        """The journal's orders."""
        _, answer = self.fund.run_json("orders", "--count", "1000")
        found: list[dict[str, Any]] = answer["orders"]
        return found

    def orders_of(self, session: str) -> list[dict[str, Any]]:
        """The journal's orders of a session."""
        return [order for order in self.orders() if order["date"] == session]


@contextmanager
def collect_messages(titles: list[str]) -> Generator[str]:
    """A target of messages on this machine, by its apprise URL; the titles are appended."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            titles.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["title"])
            self.send_response(200)
            self.end_headers()

        @override
        def log_message(self, format: str, *arguments: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"json://127.0.0.1:{server.server_port}/"
        server.shutdown()


def key_options(folder: Path, values: Mapping[str, str]) -> str:
    """The options of `fund init` that name files with the secrets."""
    for name, value in values.items():
        (folder / name).write_text(value)
    return " ".join(f"--key {name}={folder / name}" for name in values)


def init_words(mode: str, vendor: str) -> str:
    """The words of `fund init`, without keys, for a strategy that needs no model."""
    return (
        f"init --yes --mode {mode} --vendor {vendor} --edgar 'Jane Doe jane@example.com' "
        "--strategy strategies/momentum.py:Momentum"
    )


@contextmanager
def open_owner(home: Path) -> Generator[Owner]:
    """An owner whose fund has no folder yet; whatever runs at the end is ended."""
    owner = Owner(FundCommand(home))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in AT_ONCE.items():
            patch.setenv(name, value)
        yield owner
        owner.fund.run("down")
