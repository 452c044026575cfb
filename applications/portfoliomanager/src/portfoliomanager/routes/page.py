"""The page over HTTP."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from internal.errors import NotFoundError
from internal.trading.performance import report_performance
from portfoliomanager.account_responses import CurrentPortfolioResponse, PerformanceResponse
from portfoliomanager.pages.overview import TradingControls, render_overview
from portfoliomanager.portfolio_view import view_current_portfolio
from portfoliomanager.services import RequestServices

router = APIRouter(tags=["page"])


@router.get("/", summary="The fund on one page", response_class=HTMLResponse)
def get_page(services: RequestServices) -> HTMLResponse:
    """Value over time, the portfolio, the latest orders; it only reads."""
    journal = services.journal
    try:
        current = CurrentPortfolioResponse.of(view_current_portfolio(services.broker, journal))
    except NotFoundError:
        current = None
    performance = PerformanceResponse.of(report_performance(journal.snapshots(), services.books.flows()))
    controls = TradingControls(services.clock.mode, journal.trading_state(), services.arming.describe())
    return HTMLResponse(render_overview(current, performance, journal.orders(), controls))
