"""What a command loads: a halt must not wait for libraries that it does not use, nor `--help` for the commands' own."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar, override

import pytest

from fund.commands import COMMANDS
from fund.folder import FundFolder
from fund.lazy_commands import load_command, read_help
from fund.process_record import ProcessEntry, write_entries
from fund.service_client import ServiceClient
from fund.services import Service
from internal.errors import UnavailableError

HEAVY = frozenset(
    {
        *("deltalake", "duckdb", "httpx", "matplotlib", "numpy", "pandera", "polars", "psutil", "pyarrow"),
        *("pydantic_settings", "rich", "tinygrad", "tomlkit"),
    }
)  # typer itself uses pydantic
PROGRAM = """
import json, sys
from fund.entry import main
try:
    main()
finally:
    print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
ANSWER = {
    "mode": "paper",
    "state": "halted",
    "meaning": "nothing is sent",
    "changed_at": "2026-11-27T15:00:00Z",
    "changed_by": "ada",
    "cause": "owner",
    "reason": "away",
    "planned_orders": 0,
    "undecided": "",
    "orders_at_broker": 2,
}
ACTIVE = {"state": "active", "meaning": "orders are sent", "orders_at_broker": 0, "losses_accepted": True}


class Portfoliomanager(BaseHTTPRequestHandler):
    """A service that takes a new trading state and answers with it."""

    taken: ClassVar[list[tuple[str, str | None, object]]] = []

    def do_PUT(self) -> None:
        """Answer as portfoliomanager does."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.taken.append((self.path, self.headers["Authorization"], body))
        self._answer(ANSWER | ({} if body["state"] == "halted" else ACTIVE))

    def do_GET(self) -> None:
        """Answer that trading is halted."""
        self._answer(ANSWER)

    def _answer(self, body: Mapping[str, object]) -> None:
        answer = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Write no log."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[FundFolder]:
    """The folder of a running fund, whose record says where portfoliomanager listens."""
    folder = FundFolder(tmp_path)
    folder.credentials()
    with ThreadingHTTPServer(("127.0.0.1", 0), Portfoliomanager) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        write_entries(folder, {Service.PORTFOLIOMANAGER: ProcessEntry(os.getpid(), 0.0, server.server_port)})
        yield folder
        server.shutdown()


def run(folder: FundFolder, *arguments: str) -> tuple[str, set[str]]:
    """Run a command; what it printed, and the packages that it loaded."""
    variables = os.environ | {"FUND_HOME": str(folder.root), "PORTFOLIOMANAGER_PORT": "9"}
    words = [sys.executable, "-c", PROGRAM, *arguments]
    ended = subprocess.run(words, env=variables, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    printed, _, loaded = ended.stdout.rstrip().rpartition("\n")
    return printed, set(json.loads(loaded))


def test_halt_loads_little(folder: FundFolder) -> None:
    """It reaches the service where the supervisor recorded it, whatever the settings say, with the fund's token."""
    printed, loaded = run(folder, "halt", "--reason", "away")

    assert printed.splitlines() == [
        "PAPER: trading is halted: nothing is sent.",
        "Since 2026-11-27 15:00 UTC, by ada (owner): away",
        "2 orders are at the broker and may fill; `./fund flatten` cancels them.",
    ]
    assert loaded & HEAVY == set()
    path, token, body = Portfoliomanager.taken.pop()
    assert (path, token) == ("/trading-state", f"Bearer {folder.credentials().fund_api_token}")
    assert isinstance(body, dict)
    assert body["reason"] == "away"


def test_resume_says_from_when_losses_count(folder: FundFolder) -> None:
    """Whoever resumes accepts the losses so far; where it was active before, nothing is accepted and nothing said."""
    printed, _ = run(folder, "resume")
    assert printed.splitlines()[0] == "PAPER: trading is active: orders are sent."
    assert printed.splitlines()[-1] == (
        "Earlier losses no longer count: the limits on losses and drawdown start again from here."
    )


@pytest.mark.parametrize(("typed", "is_sent"), [(b"resume\n", False), (b"RESUME\n", True)])
def test_resume_on_a_terminal_asks_for_a_word(folder: FundFolder, typed: bytes, *, is_sent: bool) -> None:
    """What becomes of the limits of losses is said before; another word changes nothing."""
    controller, terminal = os.openpty()
    os.write(controller, typed)
    Portfoliomanager.taken.clear()
    words = [sys.executable, "-m", "fund", "resume"]
    variables = os.environ | {"FUND_HOME": str(folder.root)}
    ended = subprocess.run(words, env=variables, stdin=terminal, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    os.close(controller)
    os.close(terminal)
    before, _, after = ended.stdout.partition("Once it is resumed: Earlier losses no longer count")
    assert (before.startswith("PAPER: trading is halted"), bool(after)) == (True, True)
    assert (ended.returncode, [path for path, _, _ in Portfoliomanager.taken]) == (
        (0, ["/trading-state"]) if is_sent else (1, [])
    )


def test_a_service_that_does_not_run() -> None:
    """Nothing answers at its address: what says what runs, and what starts it."""
    with pytest.raises(UnavailableError, match=r"portfoliomanager is not running.*\./fund status.*\./fund up"):
        ServiceClient(Service.PORTFOLIOMANAGER, "http://127.0.0.1:9").get("/health")


def test_every_command_is_listed_with_its_own_help() -> None:
    """The text in the list is the docstring of the command that is loaded; a command's `--help` loads no libraries."""
    for source in COMMANDS:
        assert load_command(source).help == read_help(source) != ""


def test_help_loads_little(tmp_path: Path) -> None:
    """Neither the list nor the help of the largest command loads what the commands work with."""
    for arguments in (("--help",), ("up", "--help")):
        printed, loaded = run(FundFolder(tmp_path), *arguments)
        assert "Run the whole fund offline" in printed
        assert loaded & HEAVY == {"rich"}
