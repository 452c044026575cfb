"""The strategy over HTTP: its name, parameters and digest."""

from fastapi import APIRouter

from portfoliomanager.services import RequestServices
from portfoliomanager.strategy_response import StrategyFailureResponse, StrategyResponse

router = APIRouter(prefix="/strategy", tags=["strategy"])


@router.get("", summary="The strategy that decides")
def get_strategy(services: RequestServices) -> StrategyResponse:
    """The strategy that this process loaded, and the session at which it failed.

    The record of each decision names the one that made it.
    """
    failed = services.operations.find_strategy_failure()
    failure = None if failed is None else StrategyFailureResponse(date=failed.day, detail=failed.reason)
    return StrategyResponse.of(services.strategy, failure)
