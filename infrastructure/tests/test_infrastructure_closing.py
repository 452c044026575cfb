"""What a scheduler sends after a close, to a real HTTP server on loopback: requests, retries and refusals."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any, cast

import pytest

from infrastructure.closing import ATTEMPTS, REQUESTS, ask, main
from internal.errors import ConfigurationError, UnavailableError, UpstreamError

SESSION = date(2024, 7, 3)
TOKEN = "a-token-of-the-tests"  # noqa: S105 - of the test alone


@dataclass
class Service:
    """A service that records its requests, and answers with the given statuses, then with 200."""

    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    url: str = ""


class RecordingServer(HTTPServer):
    """A real HTTP server whose handler reaches the recorded requests."""

    def __init__(self, service: Service) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.service = service


class Answering(BaseHTTPRequestHandler):
    """Answers every POST."""

    def do_POST(self) -> None:
        """Note and answer."""
        service = cast("RecordingServer", self.server).service
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        service.asked.append((self.path, self.headers.get("Authorization", ""), body))
        self.send_response(service.statuses.pop(0) if service.statuses else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own name
        """Silent."""


@pytest.fixture
def service() -> Iterator[Service]:
    """The service, on a free port."""
    made = Service()
    server = RecordingServer(made)
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def environment(service: Service) -> dict[str, str]:
    """The environment that leads to it."""
    return {"DATAMANAGER_URL": f"{service.url}/", "PORTFOLIOMANAGER_URL": service.url, "FUND_API_TOKEN": TOKEN}


@pytest.mark.parametrize(
    ("what", "paths"), [("sync", ["/equity-bars"]), ("rebalance", ["/predictions", "/portfolios"])]
)
def test_each_path_once_in_order(service: Service, what: str, paths: list[str]) -> None:
    """One POST a path, with the date and the token."""
    ask(REQUESTS[what], SESSION, environment(service))
    assert [(path, f"Bearer {TOKEN}", {"date": "2024-07-03"}) for path in paths] == service.asked


def test_what_may_pass_is_tried_again(service: Service) -> None:
    """Answers of an update or a restart: the same request, until it is taken."""
    service.statuses = [503, 429]
    ask(REQUESTS["sync"], SESSION, environment(service), pause=0.01)
    assert 3 == len(service.asked)


def test_it_ends_some_time(service: Service) -> None:
    """A service that stays away is a failure, and the later paths are not asked."""
    service.statuses = [503] * 100
    with pytest.raises(UpstreamError, match="503"):
        ask(REQUESTS["rebalance"], SESSION, environment(service), pause=0.01)
    assert ["/predictions"] * ATTEMPTS == [path for path, *_ in service.asked]
    with pytest.raises(UnavailableError, match="POST /equity-bars not reached: ConnectError"):
        ask(REQUESTS["sync"], SESSION, {"DATAMANAGER_URL": "http://127.0.0.1:9"}, pause=0.01)


def test_a_refusal_is_one(service: Service) -> None:
    """A wrong token does not become right by asking again."""
    service.statuses = [401] * 100
    with pytest.raises(UpstreamError, match="401"):
        ask(REQUESTS["sync"], SESSION, environment(service), pause=0.01)
    assert 1 == len(service.asked)


def test_no_session_asks_nobody(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a session that is due there is nothing to do, and no address is needed."""
    ask(REQUESTS["sync"], None, {})
    assert capsys.readouterr().out == "no session is due\n"
    assert service.asked == []


def test_a_missing_address_is_named() -> None:
    """A session without an address is an error that names the variable."""
    with pytest.raises(ConfigurationError, match="DATAMANAGER_URL"):
        ask(REQUESTS["sync"], SESSION, {"FUND_API_TOKEN": TOKEN})


def test_the_command_line(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A named date is asked for whatever the hour, and the status says how it went; no output holds the token."""
    for name, value in environment(service).items():
        monkeypatch.setenv(name, value)
    assert main(["rebalance", "--date", "2024-07-03"]) == 0
    service.statuses = [403]
    assert main(["sync", "--date", "2024-07-03"]) == 1
    shown = capsys.readouterr()
    assert "session 2024-07-03: POST /portfolios answered 200" in shown.out
    assert "403" in shown.err
    assert TOKEN not in shown.out + shown.err
