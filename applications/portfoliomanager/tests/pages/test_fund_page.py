"""The Fund page from hand-made answers: figures, limits, and the states empty, young, source down and stale."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html import unescape

import numpy as np
import polars as pl
import pytest

from internal.dates import session_close, sessions
from internal.http.roles import Role
from internal.modes import Mode
from internal.trading.broker_reports import Account, BrokerPosition
from internal.trading.enums import Leg, OrderSide, OrderState, RunState
from internal.trading.limit_kinds import LimitKind
from internal.trading.limits import RiskLimits
from internal.trading.loss_limits import Losses
from internal.trading.orders import Order
from internal.trading.performance import PerformanceReport, RealizedCost, report_performance
from internal.trading.runs import RebalanceRun
from internal.trading.slippage import FillSummary
from internal.trading.snapshots import Snapshot
from internal.trading.trading_state import UNCHANGED
from portfoliomanager.equal_weight import EqualWeight, EqualWeightPath
from portfoliomanager.pages.exposures import sum_sectors
from portfoliomanager.pages.frame import Frame, Page
from portfoliomanager.pages.fund import Cost, FundView, Holdings, JournalFacts, Today
from portfoliomanager.pages.limit_use import LimitUse, measure_decision, measure_holdings, measure_loss_limits
from portfoliomanager.pages.rendering import render_page
from portfoliomanager.pages.sources import Found
from portfoliomanager.pages.today import DataFreshness, LastRun, OrderCounts, read_freshness, read_market_day
from portfoliomanager.pages.value_history import ValueHistory
from portfoliomanager.pages.visitor import Visitor

DAYS = sessions(date(2025, 1, 2), date(2025, 1, 10))  # the 9th was a day of mourning: six sessions
VALUES = [100_000.0, 101_000.0, 99_990.0, 99_990.0, 103_000.0, 102_000.0]
CLOSE = session_close(DAYS[-1])
PRICE = 50.0


def snapshot(moment: datetime, value: float) -> Snapshot:
    """The account at a moment."""
    return Snapshot(moment, "p", value, value, 0.0, 0.0, 12.0, 3.0, 5.0)


def report(days: list[date], values: list[float]) -> PerformanceReport:
    """A snapshot at the open, of half the value, and one at the close of each session: the close counts."""
    opens = [
        snapshot(session_close(day) - timedelta(hours=6), value / 2) for day, value in zip(days, values, strict=True)
    ]
    closes = [snapshot(session_close(day), value) for day, value in zip(days, values, strict=True)]
    return report_performance([*opens[1:], *closes])


def position(ticker: str, quantity: float) -> BrokerPosition:
    """A position at 50 dollars a share."""
    return BrokerPosition(ticker, quantity, 48.0, PRICE, quantity * PRICE, 2 * quantity)


ACCOUNT = Account("id", None, 102_000.0, 90_000.0, 200_000.0, 51_000.0, -30_600.0)
POSITIONS = [position("AAA", 600), position("BBB", 420), position("CCC", -612)]
HOLDINGS = Found("The broker", Holdings(ACCOUNT, POSITIONS))
EXPOSURES = sum_sectors(POSITIONS, {"AAA": "Energy", "BBB": "Energy"}, 102_000.0)
NOTE = "nothing is opened: the score's order is that of the forecasts' widths, a bet on volatility"
RUN = RebalanceRun("p", DAYS[-1], RunState.SUBMITTED, "own", "m", 7, (NOTE,), CLOSE, CLOSE)
ORDERS = tuple(
    Order("p", DAYS[-1], name, name, OrderSide.BUY, leg, 100, PRICE, "why", CLOSE)
    for name, leg in (("a", Leg.OPEN), ("b", Leg.ADD), ("c", Leg.CLOSE))
)
FACTS = JournalFacts(LastRun(RUN, ORDERS), OrderCounts({OrderState.FILLED: 48, OrderState.PLANNED: 3}))
OWNER = Visitor(Role.OWNER, may_send_forms=True, has_session=False, csrf_token="c5rf")  # noqa: S106 - of no session
FRAME = Frame(Page.FUND, Mode.SIMULATED, UNCHANGED, CLOSE, OWNER)
FRESH = Found("Datamanager", DataFreshness(DAYS[-1], 0, 500, 0))
TODAY = Today(FRAME, read_market_day(CLOSE), HOLDINGS, Found("The journal", FACTS), FRESH)
PATH = EqualWeightPath(DAYS, [1.0, 1.01, 1.02, 1.01, 1.0, 0.99])
HISTORY = ValueHistory.of(report(DAYS, VALUES), PATH)
COST = Cost(RealizedCost(12.0, 3.0, 5.0), FillSummary(10_012.0, 10_000.0, 12.0), 100_000.0)
LIMITS = (LimitUse(LimitKind.GROSS_EXPOSURE, 0.8, 2.0),)
BENCHMARK = Found("Datamanager", PATH)
VIEW = FundView(
    TODAY, Found("The journal", HISTORY), BENCHMARK, LIMITS, Found("The broker", EXPOSURES), Found("The journal", COST)
)


def render(view: FundView) -> str:
    """The page as text."""
    return unescape(render_page("fund.html", view.today.frame, view))


def test_history() -> None:
    """The last snapshot of a session counts; returns, drawdowns and the benchmark are those of a hand calculation."""
    assert HISTORY.days == tuple(DAYS)
    assert HISTORY.values == tuple(VALUES)
    assert HISTORY.total_return == pytest.approx(0.02)
    assert HISTORY.last_return == pytest.approx(102 / 103 - 1)
    assert HISTORY.maximum_drawdown == pytest.approx(0.01)
    assert HISTORY.drawdown == pytest.approx(1 / 103)
    assert [(year.year, year.total) for year in HISTORY.years] == [(2025, pytest.approx(0.02))]
    assert HISTORY.figures[0].benchmark == pytest.approx(-0.01)
    assert HISTORY.figures[0].day == DAYS[-1]
    assert (HISTORY.is_young, HISTORY.missing_sessions) == (True, 35)
    assert HISTORY.worst[0].depth == pytest.approx(0.01)
    assert HISTORY.chart["base"] == pytest.approx([0, 0.01, 0.02, 0.01, 0, -0.01])
    assert HISTORY.verdict.headline == "Too short to tell skill from luck."
    assert ValueHistory.of(report(DAYS, VALUES)).chart["base"] is None
    assert ValueHistory.of(report_performance([])).days == ()


def test_benchmark_that_is_computed_later() -> None:
    """Until it is remembered the page asks for itself with it, and a link where no script runs; a problem is said."""
    waiting = render(replace(VIEW, benchmark=Found("Datamanager", None)))
    assert 'hx-get="/?benchmark=true"' in waiting
    assert '<noscript> <a class="link" href="/?benchmark=true">' in waiting
    assert 'hx-get="/?benchmark' not in render(VIEW)
    down = render(replace(VIEW, benchmark=Found("Datamanager", None, "refused")))
    assert "The equal-weighted holding is not shown: Refused." in down
    assert 'hx-get="/?benchmark' not in down


def test_exposures_and_limits() -> None:
    """Sectors by hand; each limit's use is the figure over the limit."""
    assert [(one.name, round(one.long, 6), round(one.short, 6)) for one in EXPOSURES.sectors] == [
        ("Energy", 0.5, 0.0),
        ("Unknown sector", 0.0, 0.3),
    ]
    assert (EXPOSURES.net, EXPOSURES.reach) == (pytest.approx(0.2), pytest.approx(0.5))
    limits = RiskLimits(gross_exposure=0.4)
    held = {one.kind: one for one in measure_holdings(ACCOUNT, POSITIONS, EXPOSURES, limits)}
    assert held[LimitKind.GROSS_EXPOSURE].share == pytest.approx(2.0)
    assert held[LimitKind.GROSS_EXPOSURE].is_exceeded
    assert held[LimitKind.NET_EXPOSURE].used == pytest.approx(0.2)
    assert held[LimitKind.NAME_WEIGHT].used == pytest.approx(0.3)
    assert held[LimitKind.SECTOR_WEIGHT].used == pytest.approx(0.5)  # the unknown sector is not limited
    decided = [one.used for one in measure_decision(ORDERS, 100_000.0, limits)]
    assert decided == pytest.approx([0.05, 0.1, 3])
    assert [one.used for one in measure_loss_limits(Losses(-0.01, 0.03), limits)] == [0, 0.03, 0.03]
    resumed = measure_loss_limits(Losses(-0.01, 0.03), limits, DAYS[0])
    assert [one.since for one in resumed] == [None, DAYS[0], DAYS[0]]
    shown = render(replace(VIEW, limits=tuple(resumed)))
    assert shown.count(f"since the resume of {DAYS[0]:%-d %b %Y}") == 2
    assert Cost(RealizedCost(-7.0, 3.0, 5.0), FillSummary.of([]), 0.0).paid == [
        (0.0, "fact"),
        (5.0, "base"),
        (3.0, "faint"),
    ]
    ruined = replace(ACCOUNT, net_asset_value=0.0)
    assert measure_holdings(ruined, POSITIONS, None, limits) == measure_decision(ORDERS, 0.0, limits) == []


def test_page() -> None:
    """The figures of every panel are on the page, with their units and signs."""
    page = render(VIEW)
    for text in (
        "$102,000.00",
        "+2.00\u2009%",
        "\u22120.97\u2009%",
        "Too short to tell skill from luck.",
        "An equal-weighted holding of the same tickers returned \u22121.00\u2009%",
        "80.0\u2009% gross",
        "3 open, 48 filled",
        "3 orders, submitted",
        "Nothing is opened: the score's order is that of the forecasts' widths, a bet on volatility",
        "13 Jan, 16:00 ET",
        "Within all limits",
        "+12.0\u2009bp, $10\u2009k filled",
        "Annual figures need 35 more sessions.",
        'id="value-data"',
    ):
        assert text in page, text


def test_exceeded_limit() -> None:
    """It is named, counted and drawn as such."""
    page = render(replace(VIEW, limits=(LimitUse(LimitKind.NAME_WEIGHT, 0.5, 0.25), *LIMITS)))
    assert "1 limit exceeded" in page
    assert '<td class="n over">50.0\u2009%</td>' in page


def test_empty_fund() -> None:
    """Before the first portfolio: what to do, no figure, no chart."""
    empty = ValueHistory.of(report_performance([]))
    today = replace(TODAY, journal=Found("The journal", JournalFacts(None, OrderCounts({}))))
    page = render(replace(VIEW, today=today, history=Found("The journal", empty)))
    assert "No portfolio yet." in page
    assert "None yet" in page
    assert "data-chart" not in page


def test_history_of_years() -> None:
    """With enough sessions the page shows drawdowns and ranges, and no column a session."""
    days = sessions(date(2023, 1, 3), date(2024, 12, 31))
    values = (100_000 * np.cumprod(1 + np.where(np.arange(len(days)) % 2, 0.004, -0.003))).tolist()
    history = ValueHistory.of(report(days, values))
    page = render(replace(VIEW, history=Found("The journal", history)))
    assert 'data-range="1Y"' in page
    assert "Worst drawdowns" in page
    assert "Sharpe ratio" in page
    assert "Return by session, per cent" not in page


@pytest.mark.parametrize("source", ["holdings", "history", "exposures", "cost", "data", "journal"])
def test_source_down(source: str) -> None:
    """A source that does not answer is named where its figures would be; the rest of the page is there."""
    down: Found[object] = Found("The source", None, "it cannot be reached")
    if source in {"holdings", "data", "journal"}:
        view = replace(VIEW, today=replace(TODAY, **{source: down}))
    else:
        view = replace(VIEW, **{source: down})
    page = render(view)
    assert "does not answer" in page or "it cannot be reached" in page
    assert "Net asset value" in page
    assert "Next sessions" in page


def test_needs() -> None:
    """What needs a person is said first: a halted account, unresolved orders, old bars."""
    halted = Found("The broker", Holdings(replace(ACCOUNT, halted="the account is restricted"), POSITIONS))
    facts = replace(FACTS, counts=OrderCounts({OrderState.UNRESOLVED: 2}))
    stale = Found("Datamanager", DataFreshness(DAYS[-3], 2, 500, 1))
    page = render(replace(VIEW, today=replace(TODAY, holdings=halted, journal=Found("The journal", facts), data=stale)))
    for text in (
        "The broker takes no orders: the account is restricted.",
        "2 orders are unresolved",
        "The bars are behind",
    ):
        assert text in page, text
    assert TODAY.needs == []


def test_market_day_and_freshness() -> None:
    """The session that is open, the next run, and how far the bars are behind."""
    during = read_market_day(CLOSE - timedelta(hours=1))
    assert (during.is_open, during.ahead[0].day, during.last) == (True, DAYS[-1], DAYS[-2])
    after = read_market_day(CLOSE)
    assert (after.is_open, after.ahead[0].day) == (False, date(2025, 1, 13))
    early = read_market_day(datetime(2025, 7, 3, 12, tzinfo=UTC))
    assert [one.is_short for one in early.ahead[:2]] == [True, False]
    ledger = pl.DataFrame({"date": [DAYS[0], DAYS[1], DAYS[3]]})
    assert read_freshness(ledger, DAYS[-1]) == DataFreshness(DAYS[3], 2, 3, 1)
    assert read_freshness(ledger.clear(), DAYS[-1]) == DataFreshness(None, 0, 0, 0)


def test_equal_weight_is_computed_once() -> None:
    """Equal dollars of both tickers, by hand; asked again the data service is not asked."""
    asked: list[date] = []

    def load(first: date, last: date) -> pl.DataFrame:
        asked.append(last)
        days = [first, first, last, last]  # one ticker doubles, the other halves
        return pl.DataFrame({"ticker": ["A", "B"] * 2, "date": days, "close": [1.0, 4.0, 2.0, 2.0]})

    benchmark = EqualWeight(load)
    assert benchmark.known(DAYS[0], DAYS[1]) is None
    paths = [benchmark.path(DAYS[0], DAYS[1]) for _ in range(2)]
    assert (list(paths[0].values), paths[1] == paths[0], asked) == ([1.0, 1.25], True, [DAYS[1]])
    assert (benchmark.known(DAYS[0], DAYS[1]), benchmark.known(DAYS[0], DAYS[2])) == (paths[0], None)
