"""The strategy over HTTP: its name, parameters and digest."""

from fastapi import APIRouter

from portfoliomanager.services import RequestServices
from portfoliomanager.strategy_response import StrategyResponse

router = APIRouter(prefix="/strategy", tags=["strategy"])


@router.get("", summary="The strategy that decides")
def get_strategy(services: RequestServices) -> StrategyResponse:
    """The strategy that this process loaded; the record of each decision names the one that made it."""
    return StrategyResponse.of(services.strategy)
