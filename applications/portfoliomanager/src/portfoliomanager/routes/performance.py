"""Performance over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from portfoliomanager import performance
from portfoliomanager.services import Services, services

router = APIRouter(prefix="/performance", tags=["performance"])


@router.get("", summary="Net asset value over time, return, drawdown and cost")
def read_performance(parts: Annotated[Services, Depends(services)]) -> dict[str, Any]:
    """From the account snapshots that every reconciliation writes."""
    return performance.report(parts.journal.snapshots())
