"""The end of a service, as a real process under load: no request is lost after SIGTERM; and the health probe."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from internal.http.probe import describe_failure
from libraries.python.tests.free_ports import free_port

DRAIN_SECONDS = 3.0
HERE = Path(__file__).parent


class Small:
    """The small service as a process."""

    def __init__(self, drain_seconds: float) -> None:
        """Start it and wait until it answers."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "internal.http.run", "http_run_application:create_application"]
        self.process = subprocess.Popen(  # noqa: S603 - our own module
            [*command, "--port", str(self.port)],
            env=os.environ | {"PYTHONPATH": str(HERE), "DRAIN_SECONDS": str(drain_seconds)},
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while describe_failure(f"{self.url}/health"):
            assert self.process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)


@contextmanager
def small(drain_seconds: float) -> Generator[Small]:
    """The small service until the block ends."""
    service = Small(drain_seconds)
    try:
        yield service
    finally:
        service.process.kill()
        service.process.wait()


def is_ready(url: str) -> bool:
    """Whether a proxy would still send requests there; every request opens a new connection."""
    return httpx.get(f"{url}/ready", trust_env=False, timeout=5).status_code == 200


def send_requests(url: str, until: Callable[[], bool]) -> list[str]:
    """Send requests over kept connections until `until` holds, as a proxy does; the failures."""
    failures: list[str] = []
    answers = 0
    with httpx.Client(base_url=url, trust_env=False, timeout=10) as client:
        while not until():
            try:
                answers += client.get("/work", params={"seconds": 0.02}).raise_for_status().is_success
            except httpx.HTTPError as error:
                failures.append(repr(error))
    assert answers > 10
    return failures


def test_no_request_is_lost() -> None:
    """Eight callers that follow /ready alone; a request that began before the port closed is answered after it."""
    with small(DRAIN_SECONDS) as service, ThreadPoolExecutor(9) as threads:
        stop = threading.Event()
        asking = [threads.submit(send_requests, service.url, stop.is_set) for _ in range(8)]
        time.sleep(1)
        assert is_ready(service.url)
        service.process.send_signal(signal.SIGTERM)
        signalled = time.monotonic()
        while is_ready(service.url):
            assert time.monotonic() < signalled + DRAIN_SECONDS
        assert not describe_failure(f"{service.url}/health")
        time.sleep(0.8)  # a proxy's refresh: requests go on coming to the draining service
        stop.set()
        late = threads.submit(
            httpx.get, f"{service.url}/work", params={"seconds": DRAIN_SECONDS}, trust_env=False, timeout=10
        )
        assert [[]] * 8 == [failed.result() for failed in asking]
        assert late.result().is_success
        service.process.wait(timeout=10)
        assert time.monotonic() - signalled > DRAIN_SECONDS
        assert "refused" in describe_failure(f"{service.url}/health")


def test_a_draining_answer_closes_its_connection() -> None:
    """A caller's pool has no connection that is about to end; before, connections are kept."""
    with small(DRAIN_SECONDS) as service, httpx.Client(base_url=service.url, trust_env=False) as client:
        assert "connection" not in client.get("/health").headers
        service.process.send_signal(signal.SIGTERM)
        while (answer := client.get("/ready")).is_success:
            assert "connection" not in answer.headers
        assert answer.status_code == 503
        assert "draining" in answer.json()["detail"]
        assert answer.headers["connection"] == "close"


@pytest.mark.parametrize(("drain_seconds", "signals"), [(0, 1), (60, 2)])
def test_it_ends_at_once(drain_seconds: float, signals: int) -> None:
    """Without a drain the first SIGTERM ends it, with one the second."""
    with small(drain_seconds) as service:
        service.process.send_signal(signal.SIGTERM)
        if signals == 2:
            while is_ready(service.url):  # the second would be lost while the first still waits
                pass
            service.process.send_signal(signal.SIGTERM)
        service.process.wait(timeout=30)


def test_probe() -> None:
    """Exit 0 for a service that is well; 1, with a sentence, for a wrong status, a closed port and a wrong URL."""
    with small(0) as service:
        probe = [sys.executable, "-m", "internal.http.probe"]
        for url, code, words in (
            (f"{service.url}/health", 0, ""),
            (f"{service.url}/nothing", 1, "answered 404"),
            ("http://127.0.0.1:1/health", 1, "refused"),
            ("health", 1, "not an http:// URL"),
        ):
            ended = subprocess.run([*probe, url], capture_output=True, text=True, check=False, timeout=30)  # noqa: S603 - our own module
            assert ended.returncode == code
            assert words in ended.stderr


def test_probe_is_light() -> None:
    """It loads the standard library alone: an orchestrator starts it every few seconds in every container."""
    words = "import sys, internal.http.probe; print([m for m in sys.modules if m.split('.')[0] in sys.argv[1:]])"
    heavy = ["httpx", "fastapi", "pydantic", "polars", "numpy", "structlog", "prometheus_client", "asyncio"]
    ended = subprocess.run([sys.executable, "-c", words, *heavy], capture_output=True, text=True, check=True)  # noqa: S603 - our own interpreter
    assert ended.stdout.strip() == "[]"
