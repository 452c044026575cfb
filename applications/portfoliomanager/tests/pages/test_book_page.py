"""The Book page from hand-made answers: bands, reasons, near exits, foreign positions, search, and sources down."""

from dataclasses import replace
from datetime import date
from html import unescape

import polars as pl
import pytest

from internal.dates import session_close, sessions
from internal.http.roles import Role
from internal.modes import Mode
from internal.trading.broker_reports import Account, BrokerPosition
from internal.trading.enums import Action, ForeignKind, Side
from internal.trading.foreign_items import ForeignItem
from internal.trading.portfolio import Portfolio, PortfolioRow
from internal.trading.positions import Band
from internal.trading.trading_state import UNCHANGED
from portfoliomanager.equal_weight import EqualWeightPath
from portfoliomanager.pages.betas import measure_betas
from portfoliomanager.pages.book import BookInputs, BookView, Opening, list_lines, read_closes, read_openings
from portfoliomanager.pages.exposures import sum_sectors
from portfoliomanager.pages.frame import Frame, Page
from portfoliomanager.pages.fund import Holdings
from portfoliomanager.pages.rendering import render_page
from portfoliomanager.pages.sources import Found
from portfoliomanager.pages.visitor import Visitor

DAYS = sessions(date(2025, 1, 2), date(2025, 1, 17))
LAST = DAYS[-1]
ACCOUNT = Account("id", None, 10_000.0, 8_000.0, 20_000.0, 2_000.0, -1_000.0)


def row(ticker: str, side: Side, entry: float) -> PortfolioRow:
    """A position that was filled in the third session, with a band of -10 to +10 per cent."""
    return PortfolioRow(
        *(ticker, side, Action.HOLD, 10.0, 10.0, entry, DAYS[2], entry, Band(-0.1, 0.01, 0.1), False, "kept")
    )


def position(ticker: str, quantity: float, price: float) -> BrokerPosition:
    """A position whose average entry the broker puts at 90 dollars."""
    return BrokerPosition(ticker, quantity, 90.0, price, quantity * price, 5.0)


POSITIONS = [
    position("AAA", 10, 109.0),  # long, 0.09 of a band that ends at 0.1
    position("BBB", -10, 99.0),
    position("CCC", 5, 20.0),  # somebody else's
    position("DDD", 4, 25.0),  # the fund's, but one share is somebody else's
]
ROWS = (row("AAA", Side.LONG, 100.0), row("BBB", Side.SHORT, 110.0))
FOREIGN = [
    ForeignItem(ForeignKind.POSITION, "CCC", 5.0),
    ForeignItem(ForeignKind.POSITION, "DDD", 1.0),
    ForeignItem(ForeignKind.ORDER, "EEE", 7.0),
]
INPUTS = BookInputs(
    last=LAST,
    portfolio=Portfolio("p", LAST, ROWS, "m", 1),
    openings={"AAA": Opening(DAYS[1], "rank 1 of <17>")},
    closes={"AAA": [100.0, 105.0, 109.0], "BBB": [100.0, 99.0]},
    days=DAYS,
    names={"AAA": "Alpha & Sons"},
    sectors={"AAA": "Energy"},
)
HOLDINGS = Holdings(ACCOUNT, POSITIONS)
OWNER = Visitor(Role.OWNER, may_send_forms=True, has_session=False, csrf_token="c5rf")  # noqa: S106 - of no session
FRAME = Frame(Page.BOOK, Mode.PAPER, UNCHANGED, session_close(LAST), OWNER)


def view(search: str = "") -> BookView:
    """The page of these answers."""
    lines = list_lines(HOLDINGS, FOREIGN, INPUTS, search)
    exposures = Found("The broker", sum_sectors(POSITIONS, {}, 10_000.0))
    return BookView(FRAME, Found("The broker", HOLDINGS), lines, Found("The broker", FOREIGN), exposures, (), search)


def render(shown: BookView) -> str:
    """The page as text."""
    return unescape(render_page("book.html", shown.frame, shown))


def test_lines() -> None:
    """Returns, bands, ages and places by hand; a short gains when its price falls."""
    lines = {line.ticker: line for line in view().lines}
    assert sorted(lines) == ["AAA", "BBB", "DDD"]  # CCC is wholly foreign
    long, short, shared = lines["AAA"], lines["BBB"], lines["DDD"]
    assert (long.since, long.gain_share, long.weight) == pytest.approx((0.09, 0.09, 0.109))
    assert (long.held, long.entry) == (len(DAYS) - 3, 0)  # entered before the first close that is shown
    assert long.room == pytest.approx(0.1)
    assert long.is_near_exit
    assert long.session == pytest.approx(109 / 105 - 1)
    assert (short.since, short.gain_share, short.session) == pytest.approx((-0.1, 0.1, 0.01))
    assert short.room == pytest.approx(0.0)
    assert (shared.foreign, shared.band, shared.room, shared.held, shared.closes) == (1.0, None, None, None, ())
    assert shared.since == pytest.approx(25 / 90 - 1)  # no decision: the broker's entry price
    assert [line.ticker for line in view().near] == ["BBB", "AAA"]
    assert view().largest == pytest.approx(0.109)
    assert view().gain == pytest.approx(15.0)


def test_betas() -> None:
    """Twice and minus once the market's return, also around a missing session; too few returns are no beta."""
    days = sessions(date(2025, 1, 2), date(2025, 3, 14))[:45]
    moves = [0.01 if place % 3 else -0.02 for place in range(len(days))]
    levels = {name: [1.0] for name in ("market", "TWO", "LESS")}
    for move in moves[1:]:
        for path, factor in zip(levels.values(), (1.0, 2.0, -1.0), strict=True):
            path.append(path[-1] * (1 + factor * move))
    rows = [(name, day, level) for name in ("TWO", "LESS") for day, level in zip(days, levels[name], strict=True)]
    rows += [("GAP", day, level) for _, day, level in rows[:45] if day != days[5]]
    rows += [("NEW", day, level) for _, day, level in rows[10:45]]
    bars = pl.DataFrame(rows, schema=["ticker", "date", "close"], orient="row")
    found = measure_betas(bars, EqualWeightPath(days, levels["market"]))
    assert found == pytest.approx({"TWO": 2.0, "LESS": -1.0, "GAP": 2.0})
    lines = list_lines(HOLDINGS, FOREIGN, replace(INPUTS, betas={"AAA": 2.0, "BBB": -1.0}))
    shown = replace(view(), lines=lines)
    assert [(line.ticker, line.weighted_beta) for line in shown.with_beta] == [
        ("AAA", pytest.approx(0.218)),
        ("BBB", pytest.approx(0.099)),
    ]
    assert "long +0.22, short +0.10" in render(shown)
    assert "Beta needs the closes" in render(view())
    waiting = render(replace(view("alpha"), are_betas_asked_later=True))
    assert 'hx-get="/book?beta=true&q=alpha"' in waiting


def test_without_decision_or_data() -> None:
    """What the broker says is enough for a line."""
    for line in list_lines(HOLDINGS, (), BookInputs()):
        assert (line.held, line.band, line.opening, line.session, line.entry) == (None, None, None, None, None)


@pytest.mark.parametrize(
    ("search", "tickers"),
    [("alpha", ["AAA"]), ("ENERGY aaa", ["AAA"]), ("b", ["BBB"]), ("zz", []), ("", ["AAA", "BBB", "DDD"])],
)
def test_search(search: str, tickers: list[str]) -> None:
    """Every word is in the ticker, the company or the sector."""
    assert [line.ticker for line in view(search).lines] == tickers


def test_page() -> None:
    """Names, reasons, near exits and foreign items are on the page; text is escaped."""
    page = render_page("book.html", FRAME, view())
    assert "Alpha &amp; Sons" in page
    assert "Rank 1 of &lt;17&gt;." in page
    for text in (
        "Near an exit, or past it:",
        "its upper edge at +10.0",
        "3 items are not the fund's",
        ">EEE<",
        ">shared<",
        "+9.00",
        "no band",
    ):
        assert text in unescape(page), text
    assert "No position fits." in render(view("zz"))


def test_states() -> None:
    """An empty book, a broker that is down, a data service that is down, foreign items that are not known."""
    nothing = Found("The broker", Holdings(ACCOUNT, []))
    assert "The fund holds nothing." in render(replace(view(), holdings=nothing, lines=()))
    down: Found[Holdings] = Found("The broker", None, "it cannot be reached")
    page = render(replace(view(), holdings=down, lines=()))
    assert "The broker does not answer. It cannot be reached." in page.replace("</strong>", "")
    assert "Datamanager does not answer." in render(replace(view(), problems=(Found("Datamanager", None, "gone"),)))
    assert "The broker does not answer." in render(replace(view(), foreign=Found("The broker", None, "gone")))


def test_frames() -> None:
    """The last opening of a ticker counts; closes come oldest first."""
    portfolios = pl.DataFrame(
        {
            "ticker": ["A", "A", "A"],
            "date": [DAYS[3], DAYS[0], DAYS[4]],
            "action": ["open", "open", "hold"],
            "reason": ["again", "first", "kept"],
        }
    )
    assert read_openings(portfolios) == {"A": Opening(DAYS[3], "again")}
    bars = pl.DataFrame({"ticker": ["A", "A"], "date": [DAYS[1], DAYS[0]], "close": [2.0, 1.0]})
    assert read_closes(bars) == {"A": [1.0, 2.0]}
