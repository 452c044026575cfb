"""`fund replay` of a session that was not decided: the answer says which were, and where they are shown."""

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import override

import pytest
from typer.testing import CliRunner

from fund.__main__ import application
from fund.folder import FundFolder
from fund.process_record import ProcessEntry, write_entries
from fund.services import Service

DETAIL = "no strategy decided the session of 2024-12-25: the first decided session is 2024-11-06, the last 2024-12-31"


class Portfoliomanager(BaseHTTPRequestHandler):
    """Has not decided whatever session it is asked for."""

    def do_GET(self) -> None:
        """Answer as portfoliomanager does."""
        body = json.dumps({"type": "not-found", "title": "Not found", "status": 404, "detail": DETAIL}).encode()
        self.send_response(404)
        self.send_header("Content-Type", "application/problem+json")
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Write no log."""


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of the portfoliomanager of a running fund in the folder that `FUND_HOME` names."""
    monkeypatch.setenv("FUND_HOME", str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), Portfoliomanager) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        entry = ProcessEntry(os.getpid(), 0.0, server.server_port)
        FundFolder(tmp_path).credentials()
        write_entries(FundFolder(tmp_path), {Service.PORTFOLIOMANAGER: entry})
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_undecided_session(address: str) -> None:
    """The service's sentence, and the address of the page with all decisions."""
    failed = CliRunner().invoke(application, ["replay", "2024-12-25"])
    assert getattr(failed.exception, "detail", "") == f"{DETAIL}; all are on the page {address}/decisions"


def test_a_date_that_cannot_be_read(address: str) -> None:
    """It is answered before any service is asked, with an example."""
    failed = CliRunner().invoke(application, ["replay", "christmas"], env={"COLUMNS": "80"})
    assert failed.exit_code == 2
    assert "christmas is no date: write a date as 2024-12-31" in failed.output
    assert address not in failed.output
