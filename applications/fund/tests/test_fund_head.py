"""What comes before each command: the version, and whose money the folder's fund trades."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fund.__main__ import application
from fund.broker_record import BrokerRecord
from fund.folder import FundFolder
from fund.interrupts import INTERRUPTED
from fund.stakes import choose_broker_url
from fund.version import read_commit
from internal.errors import ConfigurationError
from internal.modes import LIVE_HOST, PAPER_HOST, Mode


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FundFolder:
    """The fund's folder, which is still empty."""
    monkeypatch.setenv("FUND_HOME", str(tmp_path / "fund"))
    return FundFolder(tmp_path / "fund")


def test_version(tmp_path: Path) -> None:
    """Version, commit and Python; outside of a checkout there is no commit."""
    printed = CliRunner().invoke(application, ["--version"]).output

    assert re.fullmatch(
        r"pocketsizefund \d+\.\d+\.\d+(, commit [0-9a-f]{12}(\+changes)?)?, Python 3\.12\.\d+\n", printed
    )
    found = json.loads(CliRunner().invoke(application, ["--version", "--json"]).output)
    assert printed.startswith(f"pocketsizefund {found['version']}")
    assert printed.endswith(f"Python {found['python']}\n")
    assert (found["commit"] or "") in printed
    assert CliRunner().invoke(application, ["--json", "status"]).exit_code != 0
    assert read_commit(tmp_path) is None


@pytest.mark.parametrize(
    ("host", "word"), [(PAPER_HOST, "PAPER"), (LIVE_HOST, "LIVE"), ("127.0.0.1:8090", "SIMULATED")]
)
def test_banner_before_a_command(folder: FundFolder, host: str, word: str) -> None:
    """It goes to standard error, so that what a program reads stays as it is."""
    folder.save_record(BrokerRecord(Mode.PAPER, f"https://{host}"))
    result = CliRunner().invoke(application, ["down"])

    assert f" {word}  " in result.stderr
    assert result.stdout == "Nothing was running.\n"


def test_no_banner_without_a_fund(folder: FundFolder) -> None:
    """An empty folder is nobody's money."""
    assert not folder.root.exists()
    assert CliRunner().invoke(application, ["down"]).stderr == ""


def test_damaged_record(folder: FundFolder) -> None:
    """A record that cannot be read is named with its path."""
    folder.root.mkdir()
    (folder.root / "broker.json").write_text(json.dumps({"mode": "gold"}))
    with pytest.raises(ConfigurationError, match=r"broker\.json is damaged"):
        folder.read_mode()


def test_address_follows_the_mode() -> None:
    """The mode decides; a variable may name the same kind of account, or play paper on this machine, and no other."""
    assert choose_broker_url(Mode.PAPER, {}) == f"https://{PAPER_HOST}"
    assert choose_broker_url(Mode.LIVE, {"APCA_API_BASE_URL": f"https://{LIVE_HOST}/v2"}) == f"https://{LIVE_HOST}"
    assert choose_broker_url(Mode.PAPER, {"ALPACA_BASE_URL": "http://localhost:1/"}) == "http://localhost:1"
    with pytest.raises(ConfigurationError, match=r"the fund is paper, but ALPACA_BASE_URL is .*, which is live"):
        choose_broker_url(Mode.PAPER, {"ALPACA_BASE_URL": f"https://{LIVE_HOST}"})


@pytest.mark.parametrize(
    ("module", "command", "code"),
    [("typer", "halt", -signal.SIGINT), ("http.client", "halt", INTERRUPTED), ("polars", "up", INTERRUPTED)],
)
def test_interrupt_while_the_command_loads(module: str, command: str, code: int) -> None:
    """Ctrl-C while the modules load ends the command without a traceback."""
    program = (
        "import os, signal, sys\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == '{module}':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        "from fund.entry import main\n"
        "main()\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, command], env=os.environ, capture_output=True, check=False)  # noqa: S603 - our own

    assert ended.returncode == code
    assert ended.stderr == b""
