"""`research backtest` as a user runs it: what it writes, that it repeats itself, and what it says about bad input."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from internal.errors import FundError
from research.command_line import application

REVERSAL = '''
import polars as pl
from pocketsizefund import Construction, History, Strategy


class Reversal(Strategy):
    """The losers of the last sessions are bought, the winners sold."""

    construction: Construction = Construction.TEN_BY_TEN
    sessions: int = 5

    def score(self, history: History) -> pl.Expr:
        return -pl.col("close") / pl.col("close").shift(self.sessions).over("ticker")
'''
FAILING = '''
from pocketsizefund import Situation, Strategy, Targets


class Failing(Strategy):
    """Fails in its third session."""

    def decide(self, situation: Situation) -> Targets:
        if situation.day.isoformat() >= "2025-01-06":
            raise ZeroDivisionError("my own mistake")
        return Targets()
'''
PERIOD = ("--first-day", "2025-01-02", "--last-day", "2025-01-17", "--tickers", "40", "--seed", "3")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The present folder, with two strategies; the fund's own is `.fund` in it."""
    (tmp_path / "reversal.py").write_text(REVERSAL)
    (tmp_path / "failing.py").write_text(FAILING)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FUND_HOME", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def run(*arguments: str) -> str:
    """What `research backtest` prints; raises what it raises."""
    done = CliRunner().invoke(application, ["backtest", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def run_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`research backtest` as a process."""
    words = [sys.executable, "-m", "research", "backtest", *arguments]
    return subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - our own interpreter


def reports(home: Path) -> list[Path]:
    """The folders of reports."""
    return sorted((home / ".fund" / "research" / "backtests").glob("*"))


def test_a_report_and_a_trial(home: Path) -> None:
    """The report is whole, the trial is counted, and a second run writes the same bytes and counts none."""
    first = run_process("--strategy", "reversal.py:Reversal", *PERIOD)
    assert first.returncode == 0, first.stderr
    (folder,) = reports(home)
    assert str(folder / "backtest_report.html") in first.stdout
    written = {path.name: path.read_bytes() for path in folder.iterdir()}
    ledger = home / ".fund" / "research" / "trials.jsonl"
    lines = ledger.read_text().splitlines()
    run("--strategy", "reversal.py:Reversal", *PERIOD)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == written
    assert ledger.read_text().splitlines() == lines


def test_settings_are_in_the_report(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked for is in the report; the fund's own filter of names decides, so that here nothing is opened."""
    monkeypatch.setenv("SECURITY_TYPES", "cs,ETF")
    given = ("--set", "sessions=3", "--cash", "50,000", "--costs", "2x", "--output", "mine", "--events", "realistic")
    run("--strategy", "reversal.py:Reversal", *given, "--do-not-trade", "type:etf,type:CS,tsla", *PERIOD)
    report = json.loads((home / "mine" / "backtest_report.json").read_text())
    settings = report["settings"]
    assert settings["parameters"]["sessions"] == 3
    assert (settings["capital"], settings["cost_multiple"]) == (50_000.0, 2.0)
    assert (settings["first_session"], settings["last_session"]) == ("2024-12-31", "2025-01-17")
    assert settings["market"] == "simulated, seed 3, 40 tickers, events realistic"
    assert (settings["security_types"], settings["do_not_trade"]) == ("CS,ETF", "TSLA,type:CS,type:ETF")
    assert set(report["series"]["gross_exposure"]) == {0.0}


def test_a_strategy_that_fails(home: Path) -> None:
    """One message with the strategy's own line, exit code 1, a trial without an outcome, and no report."""
    done = run_process("--strategy", "failing.py:Failing", *PERIOD)
    assert done.returncode == 1
    assert 'failing.py", line 10, in decide' in done.stderr
    assert "ZeroDivisionError: my own mistake" in done.stderr
    assert "failed on 2025-01-06" in done.stderr
    (folder,) = reports(home)
    assert [path.name for path in folder.iterdir()] == ["backtest_settings.json"]
    (line,) = (home / ".fund" / "research" / "trials.jsonl").read_text().splitlines()
    assert "planned" in line


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--set", "sessions"), "--set takes NAME=VALUE"),
        (("--set", "window=3"), "Reversal has no parameter window; it has, each"),
        (("--set", "sessions=few"), "sessions=few is no value for Reversal"),
        (("--costs", "double"), "--costs takes a multiple such as 0.5x, 1x or 2x, not double"),
        (("--security-types", "CS,XYZ"), "--security-types is wrong: no such type: XYZ; there are CS, PFD"),
        (("--only-trade", "industry:Coal"), "--only-trade is wrong: 'industry:Coal' is no entry of a list"),
        (("--events", "often"), "--events takes none, realistic or frequent, not often"),
        (("--lake", "--events", "none"), "choose one market"),
        (("--cash", "-5"), "--cash takes dollars above 0"),
        (("--lake", "--seed", "3"), "choose one market"),
        (("--details", "reversal.py"), "--details belongs to --bars"),
        (("--lake",), "holds no bars: `./fund up` fills it"),
        (
            ("--first-day", "2025-03-03", "--last-day", "2025-01-02"),
            "the last day, 2025-01-02, is before the first, 2025-03-03: exchange --first-day and --last-day",
        ),
        (("--first-day", "2025-01-02", "--last-day", "2025-01-02"), "holds 1 sessions; a backtest trades 2 or more"),
    ],
)
def test_bad_input(home: Path, arguments: tuple[str, ...], sentence: str) -> None:
    """A clear sentence, and nothing written."""
    with pytest.raises(FundError) as refused:
        run("--strategy", "reversal.py:Reversal", *arguments)
    assert sentence in refused.value.detail
    assert not (home / ".fund").exists()


def test_a_period_outside_the_bars(home: Path) -> None:
    """The message names the days that the file has."""
    rows = [f"AAA,2024-01-{day:02},10,11,9,10,1000" for day in (2, 3, 4, 5, 8, 9)]
    (home / "bars.csv").write_text("\n".join(["ticker,date,open,high,low,close,volume", *rows]))
    days = ("--first-day", "2024-01-03", "--last-day", "2024-02-01")
    with pytest.raises(FundError) as refused:
        run("--strategy", "reversal.py:Reversal", "--bars", "bars.csv", *days)
    sentence = "the bars are of 2024-01-02 to 2024-01-09, so a backtest trades 2024-01-03 to 2024-01-09"
    assert sentence in refused.value.detail
