"""The pages of research from hand-made files: lines, deflated figures, heat map, tear sheet, and what is damaged."""

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from html import unescape
from pathlib import Path

import pytest

from internal.backtests.deflation import DeflatedSharpe
from internal.backtests.folder import ResearchFolder
from internal.backtests.moments import Moments
from internal.backtests.report import BacktestReport, MeasureRow, SeriesBySession, encode_report
from internal.backtests.report_rows import Basis, CapacityPoint, CostScenario, Estimate, Note
from internal.backtests.settings import PLANTED_SIGNAL, BacktestSettings
from internal.backtests.sweep_report import SweepPoint, SweepReport, encode_sweep
from internal.backtests.trials import CompletedLine, Outcome, PlannedLine, encode_line
from internal.calendar_returns import YearOfReturns
from internal.drawdown_periods import Drawdown
from internal.http.roles import Role
from internal.modes import Mode
from internal.trading.trading_state import UNCHANGED
from portfoliomanager.pages.frame import Frame, Page
from portfoliomanager.pages.rendering import render_page
from portfoliomanager.pages.research import PAGE_ROWS, ResearchView, RunLine, TrialCounts, describe_run
from portfoliomanager.pages.research_run import RunView
from portfoliomanager.pages.research_sweep import SweepView
from portfoliomanager.pages.visitor import Visitor
from portfoliomanager.research_library import ResearchLibrary

READER = Visitor(Role.READER, may_send_forms=False, has_session=False, csrf_token="")
FRAME = Frame(Page.RESEARCH, Mode.SIMULATED, UNCHANGED, None, READER)
MOMENT = datetime(2025, 1, 24, tzinfo=UTC)
DAYS = (date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 4))
SETTINGS = BacktestSettings(
    *("strategies/a.py:Five<Day>", {"sessions": 5}, "a" * 64, "c" * 64, "/data/bars.parquet", "d" * 64, "", 1e5, 1.0),
    *(DAYS[0], DAYS[-1]),
)
NAME, MOMENTS = SETTINGS.key[:16], Moments(250, 0.1, 0.0, 3.0)
ESTIMATE = Estimate(0.05, -0.1, 0.2)
NOTHING = (0.0, 0.0, 0.0)
SERIES = SeriesBySession(
    date=DAYS,
    net_asset_value=(1e5, 99e3, 102e3),
    benchmark=(1e5, 101e3, 101e3),
    cash=NOTHING,
    long_market_value=NOTHING,
    short_market_value=NOTHING,
    gross_exposure=NOTHING,
    net_exposure=NOTHING,
    drawdown=(0.0, 0.01, 0.0),
    rolling_sharpe=(None, None, None),
    traded_dollars=NOTHING,
    impact=NOTHING,
    overnight_drift=NOTHING,
    fees=NOTHING,
    borrow=NOTHING,
)
REPORT = BacktestReport(
    settings=SETTINGS,
    key=SETTINGS.key,
    verdict="Too short to say anything of skill.",
    units={},
    measures=(
        MeasureRow("annualised_return", "Return", "% a year", 5.0, -10.0, 20.0),
        MeasureRow("sharpe", "Sharpe ratio", "annualised", 1.59, 0.1, 2.5),
    ),
    moments=MOMENTS,
    sharpe_error=0.06,
    above_zero=0.94,
    deflated=DeflatedSharpe(1, 0.06, 0.0, 0.94),
    trials_of_strategy=1,
    overfitting=None,
    drawdowns=(Drawdown(DAYS[0], DAYS[1], DAYS[2], 0.01, 1, 1),),
    costs=(CostScenario(2.0, ESTIMATE, Estimate(None), Basis.FIRST_ORDER),),
    capacity=(CapacityPoint(1e6, ESTIMATE, ESTIMATE, 0.01, 0.0, Basis.FIRST_ORDER),),
    years=(YearOfReturns(2024, (0.02, *[None] * 11), 0.02),),
    benchmark="equal dollars of every ticker",
    notes=(Note(DAYS[1], "no bar of <ABC>"),),
    limitations=("one path",),
    series=SERIES,
)


def point(sessions: str, names: str, sharpe: float | None) -> SweepPoint:
    """A variant."""
    return SweepPoint(
        f"{sessions}-{names}", {"sessions": sessions, "names": names}, 0.1, 0.1, 0.2, sharpe, 0.1, 3.0, 0.01, 9
    )


SWEEP = SweepReport(
    SETTINGS,
    (point("10", "5", 1.0), point("3", "5", 0.4), point("3", "20", -0.3), point("10", "20", None)),
    DeflatedSharpe(4, 0.05, 0.05, 0.5),
    None,
)


def write(path: Path, content: bytes) -> None:
    """A file with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@pytest.fixture
def library(tmp_path: Path) -> ResearchLibrary:
    """A folder with one backtest, one sweep, and two trials of which one failed."""
    folder, failed = ResearchFolder(tmp_path), replace(SETTINGS, parameters={"sessions": 9})
    lines = (
        *(PlannedLine(MOMENT, one.key, one) for one in (SETTINGS, failed)),
        CompletedLine(MOMENT, SETTINGS.key, Outcome(MOMENTS, "f" * 64)),
    )
    write(folder.ledger, b"".join(encode_line(line) + b"\n" for line in lines))
    write(folder.report_path(NAME), encode_report(REPORT))
    write(folder.sweeps / NAME / "sweep.json", encode_sweep(SWEEP))
    return ResearchLibrary(folder)


def show(library: ResearchLibrary, search: str = "") -> str:
    """The Research page as text."""
    runs, trials = library.list_runs(search.split()), TrialCounts.of(library.trials())
    view = ResearchView(FRAME, "", is_empty=False, trials=trials, runs=runs, sweeps=library.list_sweeps())
    return unescape(render_page("research.html", FRAME, view))


def test_list(library: ResearchLibrary) -> None:
    """The failed trial counts, though the report was written when there was one; text is escaped."""
    [line] = library.list_runs()
    assert line.deflated is not None
    assert line.deflated.trials == 2
    assert line.probability is not None
    assert line.probability < 0.94  # one trial's
    assert (line.market, line.strategy, line.path) == ("bars.parquet", "Five<Day>", (1.0, 0.99, 1.02))
    page = show(library)
    for text in ("None shows skill", "2 trials of 1 strategy in the ledger, 1 finished", f'href="/research/{NAME}"'):
        assert text in page, text
    assert "4 variants of sessions, names" in page
    assert "Five&lt;Day&gt;" in render_page("research.html", FRAME, ResearchView(FRAME, runs=[line]))
    assert library.list_runs(["five", "bars"])
    assert "No backtest fits." in unescape(render_page("research.html", FRAME, ResearchView(FRAME, search="zz")))


def test_newer_files_are_seen(library: ResearchLibrary) -> None:
    """What was read is read again once it has changed."""
    before = library.list_runs()[0].measure("sharpe")
    changed = replace(REPORT, measures=(replace(REPORT.measures[1], value=0.5),))
    path = library.folder.report_path(NAME)
    path.unlink()
    path.write_bytes(encode_report(changed))
    assert (before, library.list_runs()[0].measure("sharpe")) == (1.59, 0.5)


def test_damaged_files(library: ResearchLibrary) -> None:
    """A damaged report or sweep is one line; a damaged ledger leaves the figures without what trials say."""
    write(library.folder.report_path("0" * 16), b"{")
    write(library.folder.sweeps / ("0" * 16) / "sweep.json", b"{")
    page = show(library)
    assert page.count("is damaged") == 2
    assert "Five<Day>" in page
    write(library.folder.ledger, b"{}\n")
    lines = [line for line in library.list_runs() if not line.problem]
    assert [line.deflated for line in lines] == [None]
    view = ResearchView(FRAME, ledger_problem="line 1 is damaged", runs=lines)
    page = render_page("research.html", FRAME, view)
    assert "The trials cannot be counted, so nothing can be said of skill." in page
    assert "Line 1 is damaged." in page


def test_nothing_yet() -> None:
    """Without a folder the page says why, before the first run what to do."""
    missing = ResearchView(FRAME, "this service has no research folder", is_empty=True)
    assert "This service has no research folder." in render_page("research.html", FRAME, missing)
    assert "No backtest yet: ./fund backtest" in render_page("research.html", FRAME, ResearchView(FRAME, is_empty=True))
    down = render_page("research.html", FRAME, ResearchView(FRAME, "no answer within 10 seconds"))
    assert "The research folder does not answer.</strong> No answer within 10 seconds." in down


def test_pages_of_runs() -> None:
    """Every backtest is on one page; a page beyond the last one is the last."""
    runs = [RunLine(f"{number:016}") for number in range(PAGE_ROWS + 3)]
    views = [ResearchView(FRAME, runs=runs, page=page) for page in (1, 2, 9)]
    assert [len(view.shown) for view in views] == [PAGE_ROWS, 3, 3]
    assert views[0].address(2) == "/research?page=2"


def test_thin_path() -> None:
    """A long path is drawn with few points, the last one among them; a worthless start draws nothing."""
    days = tuple(date.fromordinal(738_000 + number) for number in range(1_001))
    values = tuple(float(number + 1) for number in range(1_001))
    long = SeriesBySession(days, values, *[values] * 13)
    line = describe_run(NAME, replace(REPORT, series=long))
    assert len(line.days) == len(line.path) <= 252
    assert (line.days[-1], line.path[-1]) == (days[-1], 1001.0)
    nothing = SeriesBySession(DAYS, (None, None, None), *[(0.0, 0.0, 0.0)] * 13)
    assert describe_run(NAME, replace(REPORT, series=nothing)).path == ()


def test_tear_sheet() -> None:
    """Figures with intervals, months, drawdowns, costs, capacity, notes and what the trials leave now."""
    view = RunView(FRAME, NAME, REPORT, DeflatedSharpe(40, 0.05, 0.1, 0.5))
    page = unescape(re.sub(r"\s+", " ", render_page("research_run.html", FRAME, view)))
    for text in (
        "Does not show skill: counting 40 trials, the deflated Sharpe ratio is 50 %.",
        "When the report was written, 1 trial was counted.",
        "\u221210.00 to 20.00",
        "3 Jan 2024: no bar of <ABC>.",
        "bars.parquet with $100,000",
        "2 Jan 24",
        "first order",
    ):
        assert text in page, text
    assert view.threshold == pytest.approx(0.1 * 252**0.5)
    data = re.search(r'id="value-data">(.*?)</script>', page)
    assert data
    assert json.loads(data[1])["fund"] == [0.0, -0.01, 0.02]
    unknown = render_page("research_run.html", FRAME, RunView(FRAME, NAME, REPORT, None, "line 1 is damaged"))
    assert "The deflated Sharpe ratio is not known." in unknown


def test_planted_signal() -> None:
    """Each page of Research says once that simulated prices hold a planted signal; of other bars none does."""
    simulated = replace(SETTINGS, market="simulated, seed 7, 482 tickers")
    for settings, count in ((simulated, 1), (SETTINGS, 0)):
        report = replace(REPORT, settings=settings, verdict=f"No skill. {settings.planted_signal}")
        runs = [describe_run(NAME, report)] * 2
        pages = (
            render_page("research.html", FRAME, ResearchView(FRAME, runs=runs)),
            render_page("research_run.html", FRAME, RunView(FRAME, NAME, report, None)),
            render_page("research_run.html", FRAME, RunView(FRAME, NAME, report, DeflatedSharpe(4, 0.05, 0.1, 0.5))),
            render_page("research_sweep.html", FRAME, SweepView(FRAME, NAME, replace(SWEEP, settings=settings), None)),
        )
        assert [page.count(PLANTED_SIGNAL) for page in pages] == [count] * 4


def test_heat_map() -> None:
    """Values in the order of numbers, the best framed, gaps empty; the choice of axes, or the best variant's rest."""
    view = SweepView(FRAME, NAME, SWEEP, None)
    assert (view.x, view.y, view.columns) == ("names", "sessions", ["5", "20"])
    cells = {(value, one.x): (one.sharpe, one.level, one.is_best) for value, row in view.rows for one in row}
    assert cells == {
        ("3", "5"): (0.4, "u2", False),
        ("3", "20"): (-0.3, "d2", False),
        ("10", "5"): (1.0, "u4", True),
        ("10", "20"): (None, "", False),
    }
    assert view.chart["best"] == [0, 1]
    turned = SweepView(FRAME, NAME, SWEEP, None, across="sessions", down="sessions")
    assert (turned.x, turned.y) == ("sessions", "names")
    page = unescape(render_page("research_sweep.html", FRAME, view))
    for text in ("Names across, sessions down", '<td class="u4 chosen">1.00</td>', '<td class="d2">\u22120.30</td>'):
        assert text in page, text


def test_one_parameter_and_three() -> None:
    """One parameter is a row; of three the third stays at the best variant's value."""
    one = tuple(replace(row, parameters={"sessions": row.parameters["sessions"]}) for row in SWEEP.points[:2])
    view = SweepView(FRAME, NAME, replace(SWEEP, points=one), None)
    assert [(value, [cell.sharpe for cell in cells]) for value, cells in view.rows] == [("", [0.4, 1.0])]
    assert '<th scope="row">Sharpe</th>' in render_page("research_sweep.html", FRAME, view)
    three = tuple(
        replace(row, parameters=dict(row.parameters) | {"gross": "1" if row.sharpe else "2"}) for row in SWEEP.points
    )
    view = SweepView(FRAME, NAME, replace(SWEEP, points=three), None, across="names", down="sessions")
    assert view.fixed == {"gross": "1"}
    assert [cell.sharpe for _, cells in view.rows for cell in cells] == [0.4, -0.3, 1.0, None]
    assert "gross 1. " in render_page("research_sweep.html", FRAME, view)
