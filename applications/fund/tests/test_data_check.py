"""`fund data check` prints one page of 80 columns; keys of bars are read, and refused in a sentence."""

import json
import os
import signal
import socket
import subprocess
import sys
from datetime import date
from io import StringIO
from pathlib import Path

import psutil
import pytest
import typer
from rich.console import Console

from fund.data_check import PAGE_WIDTH, parse_key, show_check
from fund.folder import FundFolder
from fund.interrupts import INTERRUPTED
from fund.services import Service
from internal.http.datamanager_responses import (
    AbsentSession,
    ActionCounts,
    DataCheck,
    QuarantinedReason,
    SessionCounts,
)


def test_page() -> None:
    """Every count, reason and task is on the page, and no line is wider than 80 columns."""
    missing = [
        AbsentSession(date=date(2024, 3, day), reason="the vendor sent no bars " * 5, attempts=2)
        for day in range(4, 11)
    ]
    reason = QuarantinedReason(
        reason="price_jump_by_a_split_ratio",
        rows=1234,
        examples=["AAA 2024-03-05"],
        remedy="wait",
        needs_a_decision=True,
    )
    found = DataCheck(
        start=date(2024, 1, 1),
        end=date(2024, 3, 28),
        sessions=SessionCounts(
            first=date(2024, 1, 2),
            expected=61,
            present=54,
            late=[date(2024, 3, 4), date(2024, 3, 5)],
            repaired=[date(2024, 3, 6)],
            missing=missing,
        ),
        quarantine=[reason],
        released=3,
        actions=ActionCounts(in_force=7, corrected=1, withdrawn=0),
        disagreements={"close": 2},
        to_do=["1234 rows held: wait [or not]"],
    )
    output = StringIO()
    show_check(found, Console(file=output, width=PAGE_WIDTH))
    page = output.getvalue()
    assert max(map(len, page.splitlines())) <= PAGE_WIDTH
    text = " ".join(page.split())
    for expected in (
        "since 2024-01-02: 61 expected, 54 present, 2 late, 7 missing, 1 repaired",
        "2024-03-04: the vendor",
        "and 2 more",
        "1234 price_jump_by_a_split_ratio: AAA 2024-03-05 -> wait",
        "7 in force, 1 of them corrected, 0 withdrawn",
        "close 2",
        "1. 1234 rows held: wait [or not]",
    ):
        assert expected in text


def test_keys() -> None:
    """TICKER:DATE, whatever the ticker holds; anything else is refused."""
    assert parse_key("BRK.B:2024-03-28") == ("BRK.B", date(2024, 3, 28))
    for wrong in ("AAPL", "AAPL:", ":2024-03-28", "AAPL:28.03.2024"):
        with pytest.raises(typer.BadParameter, match="TICKER:DATE"):
            parse_key(wrong)


def test_interrupt_while_datamanager_is_silent(tmp_path: Path) -> None:
    """Ctrl-C ends a release that the service took and never answers, which Polars would have read on for ever."""
    FundFolder(tmp_path).credentials()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        port = silent.getsockname()[1]
        process = {"pid": os.getpid(), "created": psutil.Process().create_time(), "port": port}
        (tmp_path / "processes.json").write_text(json.dumps({Service.DATAMANAGER: process}))
        command = subprocess.Popen(  # noqa: S603 - our own command
            [Path(sys.executable).with_name("fund"), "data", "release", "AAPL:2026-01-05", "--why", "confirmed"],
            env=os.environ | {"FUND_HOME": str(tmp_path), "DATAMANAGER_PORT": str(port)},
            stderr=subprocess.PIPE,
            text=True,
        )
        with silent.accept()[0] as connection:
            assert connection.recv(1).startswith(b"P")
            command.send_signal(signal.SIGINT)
            _, said = command.communicate(timeout=60)

    assert command.returncode == INTERRUPTED
    assert "Traceback" not in said
