"""The files of a replayed market are read before anything starts, and decide where the fund can open."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import date
from io import StringIO
from pathlib import Path

import polars as pl
import pytest
import typer
from rich.console import Console

from fund.display import Display
from fund.market_choice import choose_market
from fund.market_files import SESSIONS_TO_TRAIN, prepare_market
from fund.market_settings import MarketSettings
from fund.options import Events, Signal
from internal.dates import sessions
from internal.errors import ConfigurationError, FundError
from models.dataset import Dataset
from models.folds import choose_fold, observe_dataset

DAYS = sessions(date(2022, 1, 3), date(2024, 12, 31))
MARKET = MarketSettings(bars=None, details=None, seed=1, tickers=120)


def write_bars(folder: Path, count: int) -> Path:
    """A file of two tickers over so many sessions."""
    rows = [f"{ticker};{day:%d.%m.%Y};10;12;9;11;500" for day in DAYS[:count] for ticker in "AB"]
    path = folder / "bars.csv"
    path.write_text("\n".join(["Symbol;Date;Open;High;Low;Close;Volume", *rows]))
    return path


def prepare(path: Path, start: date | None = None, last: date | None = None) -> tuple[MarketSettings, str]:
    """The prepared market, and what was printed on a terminal of 80 columns."""
    output = StringIO()
    market = replace(MARKET, bars=str(path), start=None if start is None else start.isoformat())
    prepared = prepare_market(market, Display(Console(file=output, width=80)), last)
    return prepared, output.getvalue()


def test_report_is_shown(tmp_path: Path) -> None:
    """What was understood is printed, within 80 columns."""
    _, printed = prepare(write_bars(tmp_path, 300))

    assert "ticker from `Symbol`" in printed
    assert "600 of 600 rows, 2 tickers, 300 sessions" in printed.replace("\n    ", " ")
    assert max(map(len, printed.splitlines())) <= 80


@pytest.mark.parametrize(
    ("count", "opening"),
    [(184, DAYS[182]), (200, DAYS[182]), (228, DAYS[182]), (230, None), (500, None)],
)
def test_opening(tmp_path: Path, count: int, opening: date | None) -> None:
    """A fifth of the file is traded; where that leaves too few sessions to train on, fewer."""
    market, _ = prepare(write_bars(tmp_path, count))

    assert market.start == (None if opening is None else opening.isoformat())


@pytest.mark.parametrize(
    ("count", "start", "last", "sentence"),
    [
        (183, None, None, r"spans 183 sessions\. A model needs 183 before .* a file of 184 sessions or more"),
        (400, DAYS[150], DAYS[200], f"begins at {DAYS[0]}, .* choose --first-day {DAYS[183]} or later"),
        (
            400,
            DAYS[200],
            DAYS[400],
            f"ends at {DAYS[399]}, before {DAYS[400]}: choose --last-day {DAYS[399]} or earlier",
        ),
    ],
)
def test_too_short(tmp_path: Path, count: int, start: date | None, last: date | None, sentence: str) -> None:
    """A file that cannot carry the period is refused with the option that helps."""
    with pytest.raises(ConfigurationError, match=sentence):
        prepare(write_bars(tmp_path, count), start, last)


def test_backtest_inside_the_file(tmp_path: Path) -> None:
    """A period that the file holds opens where it was asked for."""
    market, _ = prepare(write_bars(tmp_path, 400), DAYS[200], DAYS[399])

    assert market.start == DAYS[200].isoformat()


@pytest.mark.parametrize("missing", [0, 1])
def test_sessions_to_train(missing: int) -> None:
    """So many sessions are just enough for a fold, and one less is not."""
    days = DAYS[missing:SESSIONS_TO_TRAIN]
    bars = pl.DataFrame({"ticker": "A", "date": days, "close": [10 + n % 7 / 10 for n in range(len(days))]})
    bars = bars.with_columns(
        *[pl.col("close").alias(name) for name in ("open", "volume_weighted_average_price")],
        high=pl.col("close") + 1,
        low=pl.col("close") - 1,
        volume=pl.lit(1e6),
    )
    details = pl.DataFrame({"ticker": ["A"], "sector": ["Energy"], "industry": ["Oil"]})
    frame = observe_dataset(Dataset(bars, details, days[0], days[-1], days[-1], 0, {}))
    if missing:
        with pytest.raises(FundError, match="too few"):
            choose_fold(frame)
    else:
        choose_fold(frame)


PERIOD = ("--first-day", "2023-01-03", "--last-day", "2023-02-01")
COMMANDS = (("up", "--once", "--bars"), ("backtest", "--through-services", *PERIOD, "--bars"), ("data", "import"))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command[:2]))
def test_refused_file_leaves_nothing(tmp_path: Path, command: tuple[str, ...]) -> None:
    """One sentence, and no folder, no file, no process."""
    path = write_bars(tmp_path, 300)
    path.write_text(path.read_text().replace("03.01.2022;10", "03.01.2022;ten"))
    ended = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "fund", *command, str(path)],
        env=dict(os.environ) | {"FUND_HOME": str(tmp_path / "home")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert f"error: {path}: line 2, column Open: 'ten', expected a number" in ended.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["bars.csv"]


@pytest.mark.parametrize("command", COMMANDS[:2], ids=lambda command: " ".join(command[:2]))
def test_a_switch_of_volatility_beside_a_file_leaves_nothing(tmp_path: Path, command: tuple[str, ...]) -> None:
    """The file is not even read: one sentence, and no folder."""
    ended = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "fund", *command, str(write_bars(tmp_path, 300))],
        env=dict(os.environ) | {"FUND_HOME": str(tmp_path / "home"), "EXCHANGE_REGIME_DATE": "2022-06-01"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (1, "")
    assert "error: EXCHANGE_REGIME_DATE is wrong: it is for the simulated market: leave it out" in ended.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["bars.csv"]


@pytest.mark.parametrize("command", [("up", "--once"), COMMANDS[1][:-1], ("run",)], ids=" ".join)
@pytest.mark.parametrize("day", ["2022-05-31", "2027-01-01"])
def test_a_switch_of_volatility_outside_the_market_leaves_nothing(
    tmp_path: Path, command: tuple[str, ...], day: str
) -> None:
    """One sentence with the market's first and last session, a Wednesday and a Thursday; no folder, no step."""
    ended = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "fund", *command],
        env=dict(os.environ) | {"FUND_HOME": str(tmp_path / "home"), "EXCHANGE_REGIME_DATE": day},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    sentence = f"{day} is not a day of the simulated market: choose one from 2022-06-01 to 2026-12-31"
    assert (ended.returncode, ended.stdout) == (1, "")
    assert re.fullmatch(f"error: (the environment's )?EXCHANGE_REGIME_DATE is wrong: {sentence}\n", ended.stderr)
    assert list(tmp_path.iterdir()) == []


def test_details_are_for_a_file(tmp_path: Path) -> None:
    """Details alone describe nothing that is traded."""
    with pytest.raises(typer.BadParameter, match=r"--details \(EXCHANGE_DETAILS_FILE\) belongs to --bars"):
        choose_market(None, tmp_path, None, None)


def test_events_and_signal_are_for_the_simulated_market(tmp_path: Path) -> None:
    """Both are what the options name; a replayed market has its own, so they are refused with it."""
    assert choose_market(None, None, None, None, planted_signal=Signal.NONE).signal == "none"
    with pytest.raises(typer.BadParameter, match=r"--signal \(EXCHANGE_SIGNAL\) is for the simulated market"):
        choose_market(tmp_path, None, None, None, planted_signal=Signal.MOMENTUM)
    assert choose_market(None, None, None, None, events=Events.FREQUENT).events == "frequent"
    with pytest.raises(typer.BadParameter, match="leave it out with --bars"):
        choose_market(tmp_path, None, None, None, events=Events.NONE)
