"""The research folder: what was written is read, names are never paths, and what is damaged is named."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from internal.backtests.deflation import DeflatedSharpe, deflate_sharpe
from internal.backtests.folder import ResearchFolder
from internal.backtests.moments import Moments
from internal.backtests.report import UNITS, BacktestReport, SeriesBySession, encode_report
from internal.backtests.selection import deflate_by_trials
from internal.backtests.settings import BacktestSettings
from internal.backtests.sweep_report import SweepPoint, SweepReport, encode_sweep
from internal.backtests.trials import CompletedLine, Outcome, PlannedLine, encode_line
from internal.errors import ConfigurationError, NotFoundError

MOMENT = datetime(2025, 1, 24, tzinfo=UTC)
SETTINGS = BacktestSettings(
    *("strategies/a.py:A", {"sessions": 5}, "a" * 64, "c" * 64, "simulated, seed 7, 8 tickers", "d" * 64, "", 1e5, 1.0),
    *(date(2024, 1, 2), date(2024, 1, 3)),
)
NAME = SETTINGS.key[:16]
DEFLATED = DeflatedSharpe(1, 0.1, 0.0, 0.5)
SERIES = SeriesBySession(
    (date(2024, 1, 2), date(2024, 1, 3)), (1e5, 101e3), (1e5, None), *[(0.0, 0.0)] * 12
)  # the benchmark has no second value
REPORT = BacktestReport(
    *(SETTINGS, SETTINGS.key, "Too short.", UNITS, (), None, None, None, DEFLATED, 1, None, (), (), (), ()),
    *("equal dollars", (), (), SERIES),
)
POINT = SweepPoint("k", {"sessions": "5"}, 0.1, 0.1, 0.2, 0.5, 0.1, 3.0, 0.01, 9)


def write(path: Path, content: bytes) -> None:
    """A file with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """A report and a sweep, by the names of their folders; folders with other names are none of them."""
    folder, sweep = ResearchFolder(tmp_path), SweepReport(SETTINGS, (POINT,), DEFLATED, None)
    write(folder.report_path(NAME), encode_report(REPORT))
    write(folder.report_path("my-own-output"), encode_report(REPORT))
    write(folder.sweeps / NAME / "sweep.json", encode_sweep(sweep))
    write(folder.sweeps / f"{SETTINGS.key}.json", b"a point")
    assert (folder.list_reports(), folder.list_sweeps()) == ([NAME], [NAME])
    assert (folder.report(NAME), folder.sweep(NAME)) == (REPORT, sweep)
    assert folder.sweep(NAME).deflated_sharpe_of_the_best == DEFLATED
    assert ResearchFolder(tmp_path / "none").list_reports() == []


@pytest.mark.parametrize("name", ["", ".", "..", "../backtests", "my-own-output", NAME + "\n", NAME.upper(), "0" * 16])
def test_names_are_never_paths(tmp_path: Path, name: str) -> None:
    """Only 16 hexadecimal digits of a folder that is there."""
    folder = ResearchFolder(tmp_path)
    write(folder.report_path("my-own-output"), encode_report(REPORT))
    write(tmp_path / "backtest_report.json", encode_report(REPORT))
    with pytest.raises(NotFoundError, match="hexadecimal digits"):
        folder.report(name)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        encode_report(REPORT).replace(b'"verdict"', b'"verdikt"'),
        encode_report(REPORT).replace(b"101000.0", b'"much"'),
        encode_report(REPORT).replace(b"101000.0", b"101000.0, 1.0"),
        b"\xff\xfe",
    ],
)
def test_a_damaged_report_is_named(tmp_path: Path, content: bytes) -> None:
    """No JSON, a missing field, a wrong type, a series that is too long: the file, and what to do."""
    folder = ResearchFolder(tmp_path)
    write(folder.report_path(NAME), content)
    with pytest.raises(ConfigurationError, match=r"backtest_report.json is damaged .* run it again"):
        folder.report(NAME)


def test_a_sweep_has_points_with_the_same_parameters(tmp_path: Path) -> None:
    """Anything else is damaged."""
    folder, sweep = ResearchFolder(tmp_path), SweepReport(SETTINGS, (POINT,), DEFLATED, None)
    for broken in (b'"names"', b'"sessions": "3", "names"'):
        content = encode_sweep(replace(sweep, points=(POINT, POINT))).replace(b'"sessions"', broken, 2)
        write(folder.sweeps / NAME / "sweep.json", content.replace(broken, b'"sessions"', 1))
        with pytest.raises(ConfigurationError, match=r"sweep.json is damaged"):
            folder.sweep(NAME)


def test_trials_while_one_is_written(tmp_path: Path) -> None:
    """A line without its end is not read yet; a damaged one is named. Reading writes nothing."""
    folder = ResearchFolder(tmp_path)
    assert folder.trials() == ()
    assert list(tmp_path.iterdir()) == []
    planned = encode_line(PlannedLine(MOMENT, SETTINGS.key, SETTINGS)) + b"\n"
    write(folder.ledger, planned + planned[:40])
    assert [trial.settings for trial in folder.trials()] == [SETTINGS]
    assert folder.ledger.read_bytes() == planned + planned[:40]
    write(folder.ledger, planned + b"{}\n")
    with pytest.raises(ConfigurationError, match=r"line 2 of .* is damaged"):
        folder.trials()


def test_trials_that_came_later_count(tmp_path: Path) -> None:
    """The deflated ratio is that of the paper's formula with every trial of the market, failed ones included."""
    folder, moments = ResearchFolder(tmp_path), Moments(250, 0.1, 0.0, 3.0)
    worse, failed, elsewhere = (
        replace(SETTINGS, parameters={"sessions": 6}),
        replace(SETTINGS, parameters={"sessions": 7}),
        replace(SETTINGS, market="lake", bars_digest="e" * 64),
    )
    lines = [PlannedLine(MOMENT, one.key, one) for one in (SETTINGS, worse, failed, elsewhere)]
    done = [
        CompletedLine(MOMENT, one.key, Outcome(replace(moments, sharpe=sharpe), "f" * 64))
        for one, sharpe in ((SETTINGS, 0.1), (worse, -0.1), (elsewhere, 9.0))
    ]
    write(folder.ledger, b"".join(encode_line(line) + b"\n" for line in (*lines, *done)))
    found = deflate_by_trials(folder.trials(), SETTINGS)
    assert found == deflate_sharpe(moments, 3, np.array([0.1, -0.1]))
    assert deflate_by_trials(folder.trials(), replace(SETTINGS, capital=1.0)) is None
