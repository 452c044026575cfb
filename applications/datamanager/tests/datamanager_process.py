"""A service of the fund as a separate process, which a test can kill and start again."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

RUNNING = re.compile(r"running on (http://127\.0\.0\.1:\d+)")


@dataclass
class Process:
    """One running service: a client, its log so far, its process."""

    client: httpx.Client
    log: list[str]
    popen: subprocess.Popen[str]

    def kill(self) -> None:
        """Kill it with SIGKILL, as a power cut would."""
        self.popen.send_signal(signal.SIGKILL)
        self.popen.wait(timeout=20)


def datamanager_environment(vendor_url: str, folder: Path, **more: str) -> dict[str, str]:
    """The environment of a datamanager whose lake and state are in the folder."""
    return {
        "DATA_BUCKET": str(folder / "lake"),
        "STATE_DIRECTORY": str(folder / "state"),
        "POLYGON_API_KEY": "a-vendor-key-that-must-not-leak",
        "POLYGON_BASE_URL": vendor_url,
        "POLYGON_REQUESTS_PER_MINUTE": "0",
        "EDGAR_USER_AGENT": "A fund of the tests admin@example.com",
        "EDGAR_BASE_URL": vendor_url,
        "EDGAR_DATA_BASE_URL": vendor_url,
        "EDGAR_REQUESTS_PER_SECOND": "0",
    } | more


@contextmanager
def run_service(module: str, environment: Mapping[str, str], file_bytes: int | None = None) -> Generator[Process]:
    """Run the service on a free loopback port and end it with the block.

    `file_bytes` is the size at which writing to any file fails, which simulates a full disk.
    """
    limit = (file_bytes, file_bytes) if file_bytes else None
    popen = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", "internal.http.run", f"{module}.server:create_application", "--port", "0"],
        env={**_inherited(), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=partial(resource.setrlimit, resource.RLIMIT_FSIZE, limit) if limit else None,  # noqa: PLW1509 - no threads of the parent are touched
    )
    log: list[str] = []
    try:
        url = _wait_for_url(popen, log)
        reader = threading.Thread(target=_drain, args=(popen, log))
        reader.start()
        with httpx.Client(base_url=url, timeout=60) as client:
            yield Process(client, log, popen)
    finally:
        popen.terminate()
        popen.wait(timeout=30)


def _inherited() -> dict[str, str]:
    """The variables that a service inherits: paths, Python's own and coverage's, none of a fund."""
    paths = {"PATH", "HOME", "TMPDIR"}
    return {n: value for n, value in os.environ.items() if n in paths or n.startswith("PYTHON") or "COV" in n}


def _wait_for_url(popen: subprocess.Popen[str], log: list[str]) -> str:
    """The URL that the log names once the service listens."""
    assert popen.stdout is not None
    for line in popen.stdout:
        log.append(line)
        if found := RUNNING.search(line):
            return found[1]
    raise AssertionError(f"the service ended before it listened: {''.join(log)}")


def _drain(popen: subprocess.Popen[str], log: list[str]) -> None:
    assert popen.stdout is not None
    log.extend(popen.stdout)


def events(process: Process) -> list[str]:
    """The `event` of each JSON line of the log so far."""
    return [json.loads(line).get("event", "") for line in process.log if line.startswith("{")]
