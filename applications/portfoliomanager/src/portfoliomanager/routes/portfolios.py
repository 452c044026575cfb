"""Portfolios over HTTP: rebalance, and the book as the broker has it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from portfoliomanager.portfolio_view import current_portfolio
from portfoliomanager.routes.bodies import DayRequest, records
from portfoliomanager.services import Services, services

router = APIRouter(prefix="/portfolios", tags=["portfolios"])


@router.post("", summary="Build and send the portfolio of a session")
async def rebalance(body: DayRequest, parts: Annotated[Services, Depends(services)]) -> dict[str, Any]:
    """Decide once a session and send the orders; asked again, answer what was decided and send nothing."""
    outcome = await parts.cycle.rebalance(parts.bus, body.day)
    return {
        "portfolio_id": outcome.record.portfolio_id,
        "date": outcome.record.date,
        "state": outcome.record.state,
        "policy": outcome.record.policy,
        "positions": records(outcome.positions),
        "orders": records(outcome.orders),
        "notes": outcome.record.notes,
        "foreign": outcome.foreign,
    }


@router.get("/current", summary="The book now, totals from the broker")
def read_current(parts: Annotated[Services, Depends(services)]) -> dict[str, Any]:
    """Positions and totals as the broker has them, and the portfolio that they belong to."""
    return current_portfolio(parts.broker, parts.journal)
