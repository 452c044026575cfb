"""The MCP server: every question only reads, as a reader; its errors say what to do; its page is what it offers."""

import asyncio
import json
import os
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import override

import pytest
from mcp.client.client import Client
from mcp.types import CallToolResult, TextContent, Tool

from fund.folder import FundFolder
from fund.mcp_command import explain_waiting
from fund.mcp_server.reference import reference_page
from fund.mcp_server.server import make_server
from fund.processes import record_processes
from fund.services import Service
from internal.http.roles import derive_reader_token

ROOT = Path(__file__).parents[3]
BOOKS: dict[str, object] = {
    "cash": 5.0,
    "flows": 5.0,
    "net_asset_value": 5.0,
    "profit": {"total": 0.0},
    "differences": [],
    "notes": [],
}


DAY = "2026-11-27"
DECISION = {"date": DAY, "portfolio_id": "p", "state": "submitted", "updated_at": "2026-11-27T21:00:00Z"}
NAME: dict[str, object] = {
    "ticker": "AAA",
    "outcome": "opened",
    "reason": "it ranks first",
    "rank": 1,
    "price": 5.0,
    "quantile_10": None,
    "quantile_50": None,
    "quantile_90": None,
    "shares_before": 0.0,
    "side": "long",
    "action": "open",
    "quantity": 7.0,
}
OF_AAA: dict[str, object] = {**DECISION, "names": [NAME], "orders": [], "funnel": {}}
NOT_FOUND = {"type": "urn:pocketsizefund:problem:not-found", "status": 404, "detail": "there are none"}
ANSWERS: dict[str, object] = {
    "/portfolios/decisions?since=0001-01-01": [DECISION],
    f"/decisions/{DAY}?ticker=AAA": OF_AAA,
    f"/decisions/{DAY}?ticker=ZZZ": {**OF_AAA, "names": []},
    f"/decisions/{DAY}?ticker=OLD": {**OF_AAA, "names": [], "funnel": None},
    "/portfolios/current": {"positions": []},
    **{f"/predictions?ticker={one}&date={DAY}": NOT_FOUND for one in ("AAA", "ZZZ", "OLD")},
}


class Portfoliomanager(BaseHTTPRequestHandler):
    """Answers what it has an answer for, any other GET with books, and writes down who asked."""

    tokens: list[str]

    def do_GET(self) -> None:
        """Answer by the whole address."""
        self.tokens.append(self.headers["Authorization"])
        body = ANSWERS.get(self.path, BOOKS)
        self.send_response(404 if body is NOT_FOUND else 200)
        self.send_header("Content-Type", "application/problem+json" if body is NOT_FOUND else "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Write no log."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FundFolder:
    """An empty folder that `FUND_HOME` names."""
    monkeypatch.setenv("FUND_HOME", str(tmp_path))
    return FundFolder(tmp_path)


@pytest.fixture
def asked(folder: FundFolder) -> Iterator[list[str]]:
    """The tokens with which a portfoliomanager was asked, whose port is in the folder's record and in no setting."""
    Portfoliomanager.tokens = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Portfoliomanager) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        process, port = ({Service.PORTFOLIOMANAGER: number} for number in (os.getpid(), server.server_port))
        record_processes(folder, os.getpid(), process, port)
        yield Portfoliomanager.tokens
        server.shutdown()


def list_tools() -> list[Tool]:
    """The tools that a client of the server finds."""

    async def ask() -> list[Tool]:
        async with Client(make_server()) as client:
            return (await client.list_tools()).tools

    return asyncio.run(ask())


def call(tool: str, **arguments: str) -> CallToolResult:
    """What a client of the server gets for a question."""

    async def ask() -> CallToolResult:
        async with Client(make_server()) as client:
            answer = await client.call_tool(tool, arguments)
            assert isinstance(answer, CallToolResult)
            return answer

    return asyncio.run(ask())


def sentence(answer: CallToolResult) -> str:
    """The text of an answer that is an error."""
    assert answer.is_error
    assert isinstance(answer.content[0], TextContent)
    return answer.content[0].text


def test_every_question_only_reads() -> None:
    """Each tool says so, describes what it answers and each parameter, and has a schema of its answer."""
    tools = list_tools()
    assert len(tools) == 16
    for tool in tools:
        assert tool.annotations is not None
        assert (tool.annotations.read_only_hint, tool.annotations.destructive_hint) == (True, False)
        assert tool.output_schema is not None
        assert tool.description
        assert all("description" in one for one in tool.input_schema.get("properties", {}).values())


def test_asks_as_a_reader(folder: FundFolder, asked: list[str]) -> None:
    """The recorded service is asked with the reader's token, and the answer has the books and no token."""
    owner = folder.credentials().fund_api_token
    answer = call("get_books")
    assert answer.structured_content == BOOKS
    assert asked == [f"Bearer {derive_reader_token(owner)}"]
    assert owner not in answer.model_dump_json()


@pytest.mark.parametrize(
    ("ticker", "why"),
    [
        ("AAA", "opened: it ranks first"),
        ("ZZZ", "the decision did not see it: there is no security of that ticker on that day"),
        ("OLD", "not known: the decision was taken before reasons were stored with it"),
    ],
)
def test_an_explanation_asks_for_one_ticker(folder: FundFolder, asked: list[str], ticker: str, why: str) -> None:
    """Of a decision on 8,000 names only the one is sent; the answers above are of just these addresses."""
    folder.credentials()
    answer = call("explain_ticker", ticker=ticker).structured_content
    assert answer is not None
    assert (answer["why"], answer["decision"]["date"], answer["forecast"]) == (why, DAY, None)
    assert len(asked) == 4


def test_without_a_fund(folder: FundFolder) -> None:
    """The error says how to open a fund, and asking makes no key in the folder."""
    assert "Open one: ./fund up" in sentence(call("get_positions"))
    assert list(folder.root.iterdir()) == []


def test_fund_that_does_not_run(folder: FundFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The status of an ended fund is an answer; any other question is an error that says how to start it."""
    for service in Service:
        monkeypatch.setenv(f"{service.upper()}_PORT", "1")  # nobody listens there
    folder.credentials()
    status = call("get_status").structured_content
    assert status is not None
    assert (status["running"], status["trading_state"]) == (False, None)
    assert "start it: ./fund up" in sentence(call("get_positions"))
    assert "start it: ./fund up" in sentence(call("check_data"))
    health = call("check_services").structured_content
    assert health is not None
    assert [one["ready"] for one in health["services"]] == [False, False, False]


def test_backtests_need_no_service(folder: FundFolder) -> None:
    """Without a backtest there is none, and a damaged report is named with what to do."""
    folder.credentials()
    assert call("list_backtests").structured_content == {"trials": 0, "backtests": [], "damaged": []}
    report = folder.root / "research" / "backtests" / "0123456789abcdef" / "backtest_report.json"
    report.parent.mkdir(parents=True)
    report.write_text("{")
    answer = call("list_backtests").structured_content
    assert answer is not None
    assert answer["backtests"] == []
    (damaged,) = answer["damaged"]
    assert "delete its folder and run it again" in damaged


def test_wrong_argument() -> None:
    """A date that is none is refused by the parameter's name."""
    assert "session" in sentence(call("get_decision", session="yesterday"))


def test_reference_page() -> None:
    """The page in docs/ is what the server offers."""
    page = (ROOT / "docs" / "reference" / "mcp.md").read_text()
    assert page == reference_page(), "run `uv run python -m fund.mcp_server.reference > docs/reference/mcp.md`"


def test_what_a_person_sees(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """At a terminal it says what it waits for, in 80 columns, and nothing to the client; to a pipe, nothing."""
    terminal, inner = os.openpty()
    with os.fdopen(inner) as person, Path(os.devnull).open(encoding="utf-8") as client:
        monkeypatch.setattr(sys, "stdin", client)
        explain_waiting()
        assert capsys.readouterr() == ("", "")
        monkeypatch.setattr(sys, "stdin", person)
        explain_waiting()
    os.close(terminal)
    printed = capsys.readouterr()
    assert not printed.out
    assert "Waiting for an MCP client" in printed.err
    assert max(map(len, printed.err.splitlines())) <= 80
