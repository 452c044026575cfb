"""`research check` and `research signal` as a user types them, in processes of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

from research.command_line import main

ROOT = Path(__file__).parents[3]
FORESIGHT = '''"""Planted."""
import polars as pl
from pocketsizefund import History, Strategy


class Foresight(Strategy):
    """Reads tomorrow's close."""

    history_sessions = 5

    def score(self, history: History) -> pl.Expr:
        """Perfect foresight."""
        return pl.col("close").shift(-1).over("ticker") / pl.col("close")
'''
SMALL = ("--tickers", "16", "--sessions", "10")


def run(*arguments: str, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    """`research ...` at 80 columns."""
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "research", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={"COLUMNS": "80", "PATH": "/usr/bin:/bin"} | ({"FUND_HOME": str(home)} if home else {}),
        timeout=200,
    )


@pytest.fixture(scope="module")
def foresight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a strategy that looks ahead."""
    path = tmp_path_factory.mktemp("strategies") / "foresight.py"
    path.write_text(FORESIGHT)
    return path


def test_check_names_the_first_row_that_differs(foresight: Path) -> None:
    """Exit status 1, the guard, the ticker, the session and both values, within 80 columns."""
    done = run("check", str(foresight), *SMALL)
    assert done.returncode == 1
    assert "of the checks failed" in done.stderr
    shown = " ".join(done.stdout.split())
    assert "fails look-ahead with all rows after" in shown
    assert "instead of" in shown
    assert max(len(line) for line in done.stdout.splitlines() if str(foresight) not in line) <= 80


def test_check_passes_the_fund_s_own() -> None:
    """Exit status 0, every line passes."""
    done = run("check", "strategies/ten_by_ten.py", *SMALL)
    assert done.returncode == 0, done.stderr
    assert "fails" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("check", "nowhere.py"), "there is no file nowhere.py"),
        (("check", "strategies/ten_by_ten.py:Missing"), "no class Missing"),
        (("check", "strategies/ten_by_ten.py", "--set", "names=3"), "no parameter names"),
        (("signal", "strategies/ten_by_ten.py", "--set", "names_per_side=many"), "names_per_side"),
        (("signal", "strategies/ten_by_ten.py", "--seed", "1", "--lake"), "choose one market"),
    ],
)
def test_wrong_arguments_say_what_to_do(
    arguments: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 1 and one sentence, no traceback; in this process."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["research", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert message in " ".join(said.split())
    assert "Traceback" not in said


def test_signal_of_perfect_foresight(foresight: Path) -> None:
    """The coefficient at one session is 1, whatever the market; that it is simulated with a planted signal is said."""
    period = ("--first-day", "2025-01-02", "--last-day", "2025-02-28")
    done = run("signal", str(foresight), "--tickers", "16", *period)
    assert done.returncode == 0, done.stderr
    assert "1 session " in done.stdout
    assert "1.0000" in done.stdout
    assert "hold a planted signal" in " ".join(done.stdout.split())


def test_a_misspelt_column_is_one_finding(tmp_path: Path) -> None:
    """`check` says where in the user's file, without the frames of the fund; so does the signal sheet."""
    path = tmp_path / "typo.py"
    path.write_text(FORESIGHT.replace('pl.col("close").shift', 'pl.col("clsoe").shift'))
    done = run("check", str(path), *SMALL)
    shown = " ".join(done.stdout.split())
    assert done.returncode == 1
    assert "fails score" in shown
    assert "clsoe" in shown
    assert "Traceback" not in done.stderr
    sheet = run("signal", str(path), "--tickers", "16", "--first-day", "2025-01-02", "--last-day", "2025-01-31")
    assert sheet.returncode == 1
    assert "clsoe" in sheet.stderr
    assert "typer" not in sheet.stderr


def test_a_backtest_with_look_ahead_is_refused(foresight: Path, tmp_path: Path) -> None:
    """Nothing is reported that nobody could have earned."""
    period = ("--tickers", "16", "--first-day", "2025-01-02", "--last-day", "2025-02-28")
    done = run("backtest", "--strategy", f"{foresight}:Foresight", *period, home=tmp_path)
    assert done.returncode == 1
    assert "reads later rows" in " ".join(done.stderr.split())
    assert not list(tmp_path.rglob("*.html"))
