"""What every command line of the fund shares: how it is named in its usage, and how it reads dates."""

import re
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fund.__main__ import application
from fund.commands import COMMANDS, CommandSource
from fund.lazy_commands import load_command
from fund.passing_on import ARGUMENTS_AS_GIVEN
from research.command_line import application as research
from research.command_line import main as run_research

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("typed", "command", "expected"),
    [
        ("./fund", "backtest", "Usage: ./fund backtest [OPTIONS]"),
        ("./fund research", "signal", "Usage: ./fund research signal [OPTIONS]"),
        ("", "backtest", "Usage: python -m research backtest [OPTIONS]"),
    ],
)
def test_usage_is_what_was_typed(
    typed: str, command: str, expected: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error of `./fund backtest` shows that command's usage, not the program that it becomes."""
    monkeypatch.setenv("RESEARCH_TYPED_AS", typed)
    monkeypatch.setattr(sys, "argv", ["research", command, "--first-day", "soon"])
    with pytest.raises(SystemExit) as ended:
        run_research()
    printed = capsys.readouterr().err
    assert ended.value.code == 2
    assert expected in printed
    assert "soon is no date: write a date as 2024-12-31" in re.sub(r"[\s│]+", " ", printed)


@pytest.mark.parametrize(("option", "kind"), [("--bars", "daily bars"), ("--details", "the sectors and industries")])
def test_a_file_that_is_not_there(
    option: str, kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error names the path and where it is said what the file holds; `fund` and `research` read it in one way."""
    monkeypatch.setattr(sys, "argv", ["research", "backtest", option, "nothing.csv"])
    with pytest.raises(SystemExit) as ended:
        run_research()
    printed = [capsys.readouterr().err, CliRunner().invoke(application, ["up", option, "nothing.csv"]).stderr]
    assert ended.value.code == 2
    for text in printed:
        said = re.sub(r"[\s│]+", " ", text)
        assert re.search(rf"there is no file .*nothing\.csv\. It takes {kind} .*docs/your_own_bars\.md", said)


def test_help_pages_are_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """No help page cuts a word at 80 columns, and none offers to install what `./fund` does not have."""
    monkeypatch.setenv("COLUMNS", "80")
    pages = [
        CliRunner().invoke(application, [source.name, "--help"]).output for source in COMMANDS if not is_passed(source)
    ]
    pages += [
        CliRunner().invoke(research, [name, "--help"]).output for name in ("backtest", "sweep", "check", "signal")
    ]
    assert all("Options" in page and "…" not in page and "--install-completion" not in page for page in pages)


def is_passed(source: CommandSource) -> bool:
    """Whether the command becomes another program's, which shows the help."""
    return load_command(source).context_settings == ARGUMENTS_AS_GIVEN


def test_dates_are_read_in_one_way() -> None:
    """No option has a format of its own, whose errors would show it as `%Y-%m-%d`."""
    sources = ROOT.glob("applications/*/src/**/*.py")
    assert [str(path) for path in sources if re.search(r"formats=\[", path.read_text())] == []
