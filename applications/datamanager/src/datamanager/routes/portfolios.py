"""Portfolios over HTTP: store one by its id, read them."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from datamanager import queries
from datamanager.responses import StoredResponse
from datamanager.routes.parameters import DayOrPeriod
from datamanager.services import RequestServices
from datamanager.storage import store_portfolio
from internal.errors import InvalidRequestError
from internal.http.frame_documentation import document_request_frame, document_response_frame
from internal.http.frames import frame_response, negotiate, read_frame
from internal.schemas import portfolios

router = APIRouter(prefix="/portfolios", tags=["portfolios"])
EXAMPLE = {
    "portfolio_id": "ten-by-ten-2024-12-31",
    "date": "2024-12-31",
    "ticker": "AAPL",
    "side": "long",
    "action": "open",
    "quantity": 20.0,
    "dollar_amount": 5008.4,
    "reference_price": 250.42,
    "opened_date": "2024-12-31",
    "entry_price": 250.42,
    "quantile_10": -0.021,
    "quantile_50": 0.001,
    "quantile_90": 0.024,
    "reason": "rank 3 of 95",
    "model_version": "3f2a9c",
    "bars_version": 12,
    "frozen": False,
    "held": 0.0,
}


@router.post("", summary="Replace one portfolio", openapi_extra=document_request_frame(EXAMPLE))
async def post_portfolio(request: Request, services: RequestServices) -> StoredResponse:
    """Check the frame and replace the rows of its portfolio in one commit."""
    frame = await read_frame(request, portfolios.COLUMNS, portfolios.DEFAULTS)
    return StoredResponse(rows=await asyncio.to_thread(store_portfolio, services.lake, frame))


@router.get(
    "",
    summary="Portfolios of a day, a range or an id",
    responses=document_response_frame(portfolios.COLUMNS),
    response_class=Response,
)
def get_portfolios(
    request: Request,
    services: RequestServices,
    period: DayOrPeriod,
    portfolio_id: Annotated[str | None, Query(min_length=1, description="One portfolio")] = None,
) -> Response:
    """Portfolio rows ordered by date, portfolio and ticker."""
    negotiate(request.headers.get("accept"))
    if period is None and portfolio_id is None:
        raise InvalidRequestError("give date, or start_date and end_date, or portfolio_id")
    return frame_response(queries.read_portfolios(services.lake, period, portfolio_id), request)
