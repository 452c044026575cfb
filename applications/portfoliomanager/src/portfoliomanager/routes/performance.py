"""Performance over HTTP."""

from fastapi import APIRouter

from internal.trading.performance import report_performance
from portfoliomanager.account_responses import PerformanceResponse
from portfoliomanager.services import RequestServices

router = APIRouter(prefix="/performance", tags=["performance"])


@router.get("", summary="Net asset value over time, return, drawdown and cost")
def get_performance(services: RequestServices) -> PerformanceResponse:
    """From the account snapshots that every reconciliation writes, and what was paid in and out between them."""
    services.journal.refresh()
    return PerformanceResponse.of(report_performance(services.journal.snapshots(), services.books.flows()))
