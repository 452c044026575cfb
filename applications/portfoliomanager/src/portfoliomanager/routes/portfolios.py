"""Portfolios over HTTP: rebalance, and the portfolio as the broker has it."""

from fastapi import APIRouter

from internal.errors import NotFoundError
from portfoliomanager.account_responses import CurrentPortfolioResponse
from portfoliomanager.portfolio_view import view_current_portfolio
from portfoliomanager.requests import DayRequest
from portfoliomanager.responses import DecisionResponse, RebalanceResponse
from portfoliomanager.services import RequestServices

router = APIRouter(prefix="/portfolios", tags=["portfolios"])


@router.post("", summary="Build and send the portfolio of a session")
async def post_portfolio(body: DayRequest, services: RequestServices) -> RebalanceResponse:
    """Decide once a session and send the orders; asked again, answer what was decided and send nothing."""
    return RebalanceResponse.of(await services.cycle.rebalance(body.day))


@router.get("/current", summary="The portfolio now, totals from the broker")
def get_current_portfolio(services: RequestServices) -> CurrentPortfolioResponse:
    """Positions and totals as the broker has them, and the portfolio that they belong to."""
    return CurrentPortfolioResponse.of(view_current_portfolio(services.broker, services.journal))


@router.get("/last", summary="The last decision")
def get_last_decision(services: RequestServices) -> DecisionResponse:
    """The session that was decided last, by the journal alone; 404 before the first decision."""
    services.journal.refresh()
    run = services.journal.last_run()
    if run is None:
        raise NotFoundError("no session was decided yet: POST /portfolios decides one")
    return DecisionResponse.model_validate(run)
