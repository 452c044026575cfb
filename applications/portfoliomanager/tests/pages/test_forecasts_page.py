"""The Forecasts page: places and scores by hand, search, order, pages, and what is said without forecasts."""

from datetime import date

import polars as pl
import pytest

from internal.http.roles import Role
from internal.modes import Mode
from internal.schemas import equity_details, predictions
from internal.trading.trading_state import UNCHANGED
from portfoliomanager.pages.forecasts import PAGE_ROWS, ForecastOrder, ForecastQuery, ForecastsView
from portfoliomanager.pages.frame import Frame, Page
from portfoliomanager.pages.rendering import render_page
from portfoliomanager.pages.visitor import Visitor
from portfoliomanager.routes.forecasts_page import ForecastsPage

READER = Visitor(Role.READER, may_send_forms=False, has_session=False, csrf_token="")
FRAME = Frame(Page.FORECASTS, Mode.SIMULATED, UNCHANGED, None, READER)
DAY, NEXT, LAST = date(2025, 1, 24), date(2025, 1, 27), date(2025, 2, 4)


def forecast(ticker: str, horizon: int, low: float, middle: float, high: float) -> dict[str, object]:
    """A row of predictions."""
    return {
        "date": DAY,
        "ticker": ticker,
        "target_date": LAST if horizon == 7 else NEXT,
        "horizon": horizon,
        "quantile_10": low,
        "quantile_50": middle,
        "quantile_90": high,
        "model_version": "3d0e86979046f636",
        "bars_version": 40,
    }


ROWS = [
    forecast("AAA", 7, -0.04, 0.01, 0.06),  # width 0.10, score 0.1
    forecast("BRK/B", 7, -0.02, 0.01, 0.03),  # width 0.05, score 0.2
    forecast("CCC", 7, -0.2, -0.02, 0.2),  # width 0.40, score -0.05
    forecast("AAA", 1, -0.5, 0.3, 0.5),  # of another horizon: nowhere on the page
]
PREDICTIONS = pl.DataFrame(ROWS, schema=predictions.COLUMNS)
DETAILS = pl.DataFrame(
    [
        dict.fromkeys(equity_details.COLUMNS) | {"ticker": "AAA", "name": "Alpha <Banks>", "sector": "Financials"},
        dict.fromkeys(equity_details.COLUMNS) | {"ticker": "CCC", "name": "Gamma"},
    ],
    schema=equity_details.COLUMNS,
)


def tickers(query: ForecastQuery) -> list[str]:
    """The tickers of a page."""
    return [row.ticker for row in ForecastsView.of(PREDICTIONS, DETAILS, query).rows]


def test_scores_and_places() -> None:
    """Of the last horizon alone: median over width, the best first."""
    view = ForecastsView.of(PREDICTIONS, DETAILS, ForecastQuery())
    assert [(row.ticker, row.place) for row in view.rows] == [("BRK/B", 1), ("AAA", 2), ("CCC", 3)]
    assert [row.score for row in view.rows] == pytest.approx([0.2, 0.1, -0.05])
    assert [row.width for row in view.rows] == pytest.approx([0.05, 0.1, 0.4])
    assert (view.day, view.target, view.all_count) == (DAY, LAST, 3)


def test_search_and_order() -> None:
    """Every word has to be there, as text and not as a pattern; each order by its column."""
    assert tickers(ForecastQuery("banks FINANCIALS")) == ["AAA"]
    assert tickers(ForecastQuery("a.a")) == []
    assert tickers(ForecastQuery(order=ForecastOrder.TICKER)) == ["AAA", "BRK/B", "CCC"]
    assert tickers(ForecastQuery(order=ForecastOrder.WIDTH)) == ["CCC", "AAA", "BRK/B"]


def test_pages() -> None:
    """8,000 tickers are 80 pages; a page beyond the last one is the last; every ticker is on one page."""
    many = pl.DataFrame(
        [forecast(f"T{number:04}", 7, -0.04, 0.01, 0.06) for number in range(250)], schema=predictions.COLUMNS
    )
    pages = [ForecastsView.of(many, DETAILS, ForecastQuery(page=page)) for page in (1, 2, 3, 9)]
    assert [len(page.rows) for page in pages] == [PAGE_ROWS, PAGE_ROWS, 50, 50]
    assert pages[3].query.page == pages[3].page_count == 3
    assert len({row.ticker for page in pages for row in page.rows}) == 250


def test_page() -> None:
    """Text is escaped, also in addresses; without forecasts the page says what to do, or what does not answer."""
    view = ForecastsView.of(PREDICTIONS, DETAILS, ForecastQuery())
    page = render_page("forecasts.html", FRAME, ForecastsPage(view, "", is_empty=False))
    assert "Alpha &lt;Banks&gt;" in page
    assert 'href="/forecasts/BRK/B"' in page
    none = render_page("forecasts.html", FRAME, ForecastsPage(None, "there are no predictions", is_empty=True))
    assert "There are no predictions." in none
    assert "Datamanager does not answer" not in none
    down = render_page("forecasts.html", FRAME, ForecastsPage(None, "refused", is_empty=False))
    assert "Datamanager does not answer.</strong> Refused." in down
