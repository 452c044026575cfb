"""Orders, logs and status of a fund, as a person reads them at 80 columns and a program as JSON."""

import json
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console
from typer.testing import CliRunner

from fund.__main__ import application
from fund.addresses import Addresses
from fund.display import Display
from fund.findings import Finding, show_findings
from fund.folder import FundFolder
from fund.log_lines import LogReader
from fund.log_page import format_line
from fund.log_rotation import rotate_log
from fund.orders_page import choose_newest, show_orders
from fund.replay_command import describe_replay
from fund.services import Service
from fund.status_answer import read_status
from fund.tables import orders_table, summarize_orders
from internal.schemas import orders as orders_schema


def order(day: int, ticker: str, state: str, reason: str = "") -> dict[str, object]:
    """An order of November 2026."""
    filled = state == "filled"
    return {
        **dict.fromkeys(orders_schema.COLUMNS),
        "date": date(2026, 11, day),
        "client_order_id": f"{ticker}-{day}",
        "ticker": ticker,
        "side": "sell",
        "quantity": 12345.0,
        "state": state,
        "filled_quantity": 12345.0 if filled else 0.0,
        "filled_average_price": 1234.5 if filled else None,
        "reason": reason,
        "updated_at": datetime(2026, 11, day, tzinfo=UTC),
    }


def test_orders_fit_in_80_columns() -> None:
    """The newest come first, reasons once with their tickers, hand trades last; no line is wider than the terminal."""
    rows = [
        order(24, "AAA", "filled"),
        order(25, "BRK.B", "partially_filled"),
        order(25, "CCC", "rejected", "the broker refuses [short] sales"),
        order(25, "DDD", "rejected", "the broker refuses [short] sales"),
    ]
    newest = choose_newest(pl.DataFrame(rows, schema=orders_schema.COLUMNS), 3)
    assert newest.get_column("ticker").to_list() == ["BRK.B", "CCC", "DDD"]
    output = StringIO()
    foreign = [
        {"kind": "position", "ticker": "TSLA", "quantity": -3.0},
        {"kind": "order", "ticker": "F", "quantity": 5.0, "side": "buy", "client_order_id": "by hand"},
    ]
    show_orders(newest, foreign, Console(width=80, file=output))
    lines = output.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert "partially filled" in lines[1]
    assert "12,345" in lines[1]
    assert lines[4] == "2026-11-25 CCC, DDD: the broker refuses [short] sales"
    assert lines[5:7] == [
        "partially filled: the broker has filled a part of it so far",
        "rejected: refused by the broker",
    ]
    assert lines[7:] == ["not the fund's: position, -3 TSLA", "not the fund's: order, buy 5 F"]


def test_log_lines_over_a_rotation(tmp_path: Path) -> None:
    """The last lines, then the new ones: a line that is half written waits, a rotated file begins again."""
    log = tmp_path / "one.log"
    reader = LogReader(log)
    assert reader.read_last(2) == []
    log.write_text("a\nb\nc\nhal")
    assert reader.read_last(2) == ["b", "c"]
    with log.open("a") as file:
        file.write("f\n")
    assert reader.read_new() == ["half"]
    assert rotate_log(log, 1, 2)
    log.write_text("new\n")
    assert reader.read_new() == ["new"]
    assert reader.read_new() == []


def test_a_log_line_fits_in_80_columns() -> None:
    """Time, service, level, event and fields; a traceback below; what is no JSON stays; elsewhere lines stay whole."""
    entry = {
        "service": "datamanager",
        "rows": 12,
        "detail": "a long sentence " * 8,
        "event": "bars_synced",
        "level": "warning",
        "logger": "x",
        "timestamp": "2026-11-27T15:00:01.123456Z",
        "exception": "Traceback:\n  File x\nKeyError: 7",
    }
    lines = format_line("datamanager", json.dumps(entry), 80)
    assert lines[0].startswith("2026-11-27 15:00:01 datamanager      warning bars_synced rows=12 detail=a")
    assert max(map(len, lines)) <= 80
    assert lines[-1].strip() == "KeyError: 7"
    assert len(format_line("datamanager", json.dumps(entry), 0)) == 4
    assert format_line("exchange", "Killed [1]", 80) == ["exchange: Killed [1]"]


def test_progress_without_a_terminal() -> None:
    """A log gets a line at the start and at each quarter; a run without sessions gets the first alone."""
    output = StringIO()
    display = Display(Console(file=output, width=80))
    with display.progress("sessions", 8) as advance:
        for done in range(1, 9):
            advance(done, f"to day {done}")
    with display.progress("sessions", 0) as advance:
        advance(0, "")
    assert [line.strip() for line in output.getvalue().splitlines()] == [
        "sessions: 0 of 8",
        *(f"sessions: {done} of 8, to day {done}" for done in (2, 4, 6, 8)),
        "sessions: 0 of 0",
    ]


def test_findings_fit_in_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    """Long lines of `fund doctor` are broken between words, and their rest is indented."""
    findings = [Finding("disk", "sentence " * 20, "do this " * 20), Finding("clock", "right")]
    assert show_findings(iter(findings), 80) == findings
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line[:5] for line in lines if line[0] != " "] == ["fault", "ok   "]


def test_commands_without_a_running_fund(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Logs name their service; without any, or with an unknown service, the message says so."""
    monkeypatch.setenv("FUND_HOME", str(tmp_path))
    runner = CliRunner()
    assert "no service has run" in str(runner.invoke(application, ["logs"]).exception)
    assert runner.invoke(application, ["logs", "nobody"]).exit_code == 2
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "exchange.log").write_text("first\nsecond\n")
    assert "exchange: second" in runner.invoke(application, ["logs", "--lines", "1"]).output
    assert runner.invoke(application, ["logs", "--lines", "1", "--json"]).output == (
        '{"service": "exchange", "event": "second"}\n'
    )


def test_status_as_json(tmp_path: Path) -> None:
    """Without a fund nothing answers, and the answer can be read."""
    addresses = Addresses({service: 58181 + number for number, service in enumerate(Service)})
    answer = json.loads(read_status(FundFolder(tmp_path), addresses).model_dump_json(by_alias=True))
    assert (answer["answering"], answer["mode"], answer["portfolio"]) == (False, None, None)
    assert {one["service"]: one["alive"] for one in answer["services"]} == {
        "exchange": False,
        "datamanager": False,
        "portfoliomanager": False,
    }


def test_replay_lines() -> None:
    """The same to the bit in one sentence; of many differences the first twenty, and how to see the others."""
    same: list[dict[str, str]] = []
    answer = {"portfolio_id": "p", "name_count": 8000, "has_same_rules": True, "differences": same}
    assert describe_replay(answer).splitlines() == [
        "decision p: 8,000 names compared",
        "the same, bit for bit: every name, and so every order",
    ]
    different = {"ticker": "AAA", "field": "quantity", "then": "10.0", "now": "8.0"}
    lines = describe_replay({**answer, "has_same_rules": False, "differences": [different] * 25}).splitlines()
    assert lines[1:21] == ["  AAA: quantity was 10.0, is 8.0"] * 20
    assert lines[21:] == [
        "  and 5 more; --json shows all",
        "strategy, parameters or limits are not those of then",
    ]


def test_orders_by_session_at_80_columns() -> None:
    """A row a session below the states that orders are in; 12,345 shares at 1,234.50 are 15,239,902 dollars filled."""
    output = StringIO()
    orders = [order(2, "AAA", "filled"), order(2, "BBB", "canceled"), order(3, "CCC", "submitted")]
    Console(file=output, width=80).print(orders_table(pl.DataFrame(orders)))
    assert summarize_orders(pl.DataFrame(orders)) == "3 orders: 1 filled, 1 submitted, 1 canceled"
    lines = output.getvalue().splitlines()
    assert len(lines) == 7  # a title, headings between two rules, two sessions and a last rule
    assert "2026-11-02 │      2 │      1 │         0 │        1 │     15,239,902" in lines[4]
    assert "2026-11-03 │      1 │      0 │         1 │        0 │              0" in lines[5]
