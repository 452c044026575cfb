"""What every command line of the fund shares: how it is named in its usage, and how it reads dates."""

import re
import sys
from pathlib import Path

import pytest

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


def test_dates_are_read_in_one_way() -> None:
    """No option has a format of its own, whose errors would show it as `%Y-%m-%d`."""
    sources = ROOT.glob("applications/*/src/**/*.py")
    assert [str(path) for path in sources if re.search(r"formats=\[", path.read_text())] == []
