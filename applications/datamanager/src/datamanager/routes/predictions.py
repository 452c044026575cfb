"""Predictions over HTTP: store them by date, read them."""

import asyncio

from fastapi import APIRouter, Request, Response

from datamanager import queries
from datamanager.responses import StoredResponse
from datamanager.routes.parameters import DayOrPeriod, Tickers
from datamanager.services import RequestServices
from datamanager.storage import store_predictions
from internal.errors import InvalidRequestError
from internal.http.frame_documentation import document_request_frame, document_response_frame
from internal.http.frames import frame_response, negotiate, read_frame
from internal.schemas import predictions

router = APIRouter(prefix="/predictions", tags=["predictions"])
EXAMPLE = {
    "date": "2024-12-31",
    "ticker": "AAPL",
    "target_date": "2025-01-02",
    "horizon": 1,
    "quantile_10": -0.021,
    "quantile_50": 0.001,
    "quantile_90": 0.024,
    "model_version": "3f2a9c",
    "bars_version": 12,
}


@router.post("", summary="Replace the predictions of their dates", openapi_extra=document_request_frame(EXAMPLE))
async def post_predictions(request: Request, services: RequestServices) -> StoredResponse:
    """Check the frame and replace the predictions of its dates in one commit."""
    frame = await read_frame(request, predictions.COLUMNS)
    return StoredResponse(rows=await asyncio.to_thread(store_predictions, services.lake, frame))


@router.get(
    "",
    summary="Predictions of a day or a range",
    responses=document_response_frame(predictions.COLUMNS),
    response_class=Response,
)
def get_predictions(request: Request, services: RequestServices, period: DayOrPeriod, tickers: Tickers) -> Response:
    """Predictions by the session at whose close they were made, ordered by date, ticker and horizon."""
    negotiate(request.headers.get("accept"))
    if period is None:
        raise InvalidRequestError("give date, or start_date and end_date, as YYYY-MM-DD")
    return frame_response(queries.read_predictions(services.lake, period, tickers), request)
