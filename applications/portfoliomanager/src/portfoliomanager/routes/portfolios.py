"""Portfolios over HTTP: rebalance, and the portfolio as the broker has it."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query

from internal.trading.order_planning import list_decisions
from portfoliomanager.account_responses import CurrentPortfolioResponse
from portfoliomanager.portfolio_view import view_current_portfolio
from portfoliomanager.requests import DayRequest
from portfoliomanager.responses import DecisionResponse, RebalanceResponse
from portfoliomanager.services import RequestServices

router = APIRouter(prefix="/portfolios", tags=["portfolios"])
Since = Annotated[date, Query(description="The first session")]


@router.post("", summary="Build and send the portfolio of a session")
async def post_portfolio(body: DayRequest, services: RequestServices) -> RebalanceResponse:
    """Decide once a session and send the orders; asked again, answer what was decided and send nothing."""
    return RebalanceResponse.of(await services.cycle.rebalance(body.day))


@router.get("/current", summary="The portfolio now, totals from the broker")
def get_current_portfolio(services: RequestServices) -> CurrentPortfolioResponse:
    """Positions and totals as the broker has them, and the portfolio that they belong to."""
    return CurrentPortfolioResponse.of(view_current_portfolio(services.broker, services.journal, services.records))


@router.get("/decisions", summary="Decisions by session")
def get_decisions(services: RequestServices, since: Since) -> list[DecisionResponse]:
    """The sessions that a strategy decided from that day on, oldest first, by the journal alone."""
    services.journal.refresh()
    runs = list_decisions(services.journal.runs())
    return [DecisionResponse.model_validate(run) for run in runs if run.date >= since]
