"""A fund as a user runs it: its command line in processes of its own, on ports of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from libraries.python.tests.free_ports import free_ports

HTTP = httpx.Client(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
"""For all requests: `httpx.get` reads every certificate authority each time, for 20 ms of processor time."""
PORTS = ("EXCHANGE_PORT", "DATAMANAGER_PORT", "PORTFOLIOMANAGER_PORT", "SCHEDULER_PORT")


@dataclass
class FundCommand:
    """The command line of one fund.

    Args:
        home: Its folder.
        ports: The ports of exchange, datamanager, portfoliomanager and scheduler.
    """

    home: Path
    ports: list[int] = field(default_factory=lambda: free_ports(4))

    @property
    def variables(self) -> dict[str, str]:
        """The environment in which a user would type the command."""
        ports = {name: str(port) for name, port in zip(PORTS, self.ports, strict=True)}
        return dict(os.environ) | ports | {"FUND_HOME": str(self.home), "COLUMNS": "200"}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `fund ...`; standard output and error come in one stream."""
        return subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "fund", *arguments],
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, timeout: float = 420) -> tuple[int, str]:
        """Run `fund ...` to its end; its exit code and what it printed."""
        with self.start(*arguments) as process:
            try:
                printed, _ = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGTERM)
                raise
            return process.returncode, printed

    def run_json(self, *arguments: str, timeout: float = 420) -> tuple[int, Any]:
        """Run `fund ... --json` to its end; its exit code and the JSON on standard output, which has nothing else."""
        words = [sys.executable, "-m", "fund", *arguments, "--json"]
        ended = subprocess.run(words, env=self.variables, stdout=subprocess.PIPE, check=False, timeout=timeout)  # noqa: S603 - our own command
        return ended.returncode, json.loads(ended.stdout)

    def url(self, service: int, path: str) -> str:
        """An address of exchange (0), datamanager (1) or portfoliomanager (2)."""
        return f"http://127.0.0.1:{self.ports[service]}{path}"

    def get(self, service: int, path: str, **parameters: str) -> Any:  # noqa: ANN401 - any JSON
        """The JSON that a service answers."""
        answer = HTTP.get(
            self.url(service, path), params=parameters, headers={"Accept": "application/json"}, timeout=30
        )
        assert answer.is_success, answer.text
        return answer.json()

    def exchange_orders(self) -> list[dict[str, Any]]:
        """The exchange's own list of every order that it ever accepted."""
        orders: list[dict[str, Any]] = self.get(0, "/control/orders")["orders"]
        return orders

    def process(self, name: str) -> int:
        """The process id of `fund` or of a service."""
        entries = json.loads((self.home / "processes.json").read_text())
        return int(entries[name]["pid"])


def read_until(process: subprocess.Popen[str], words: str, seconds: float = 420) -> str:
    """What a command printed up to and with the line that holds the words."""
    printed, deadline = "", time.monotonic() + seconds
    assert process.stdout is not None
    for line in process.stdout:
        printed += line
        if words in line:
            return printed
        assert time.monotonic() < deadline, printed
    pytest.fail(f"ended without saying {words!r}:\n{printed}")
