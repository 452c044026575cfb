"""A command that needs a fund says so in a folder without one, and leaves the folder as it is."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from fund.__main__ import application
from fund.folder import FundFolder
from internal.errors import ConfigurationError

COMMANDS = (
    "data check",
    "data check --json",
    "data release AAPL:2024-12-31 --why seen",
    "orders",
    "report",
    "replay 2024-12-31",
    "books show",
    "notify list",
    "halt",
    "disarm",
    "token",
    "backup fund.tar.gz",
)


def run(command: str) -> str:
    """The message with which a command ends."""
    result = CliRunner().invoke(application, command.split())
    assert isinstance(result.exception, ConfigurationError), result.output
    return result.exception.detail


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, of the fund and of the shell."""
    monkeypatch.setenv("FUND_HOME", str(tmp_path))
    monkeypatch.delenv("FUND_API_TOKEN", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_no_fund(command: str, folder: Path) -> None:
    """The message names the commands that open one; nothing is written."""
    assert f"No fund in {folder}. Open one: ./fund up, or ./fund init and ./fund run." in run(command)
    assert list(folder.iterdir()) == []


def test_a_fund_that_was_set_up_is_not_opened_by_a_check(folder: Path) -> None:
    """What `init` has written is there, and `run` opens it, not a command that reads."""
    settings = FundFolder(folder).settings_file
    settings.write_text('mode = "simulated"\n')
    assert run("data check") == f"The fund of {settings} was never started. Start it: ./fund run"
    assert list(folder.iterdir()) == [settings]
