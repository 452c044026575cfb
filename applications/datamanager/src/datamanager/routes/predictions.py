"""Predictions over HTTP: store them by date, read them."""

import asyncio
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from datamanager import queries
from datamanager.periods import Period
from datamanager.responses import StoredPredictionsResponse
from datamanager.routes.parameters import DayOrPeriod, RowNaming, Tickers
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


@router.post("", summary="Store predictions of their dates", openapi_extra=document_request_frame(EXAMPLE))
async def post_predictions(
    request: Request,
    services: RequestServices,
    trained_through: Annotated[date | None, Query(description="Last session of the model's training")] = None,
) -> StoredPredictionsResponse:
    """Store the first predictions of a session for good; later ones are re-forecasts and replace nothing of them."""
    frame = await read_frame(request, predictions.COLUMNS)
    stored = await asyncio.to_thread(store_predictions, services.lake, frame, trained_through)
    return StoredPredictionsResponse(rows=stored.rows, reforecasts=stored.reforecasts)


@router.get(
    "",
    summary="Predictions of a day or a range",
    responses=document_response_frame(predictions.COLUMNS),
    response_class=Response,
)
def get_predictions(
    request: Request, services: RequestServices, period: DayOrPeriod, tickers: Tickers, naming: RowNaming
) -> Response:
    """The first predictions of each session, ordered by date, ticker and horizon: what a decision was taken on."""
    negotiate(request.headers.get("accept"))
    return frame_response(queries.read_predictions(services.lake, _require_period(period), tickers, naming), request)


@router.get(
    "/reforecasts",
    summary="Later predictions of a day or a range",
    responses=document_response_frame(predictions.REFORECASTS_COLUMNS),
    response_class=Response,
)
def get_reforecasts(request: Request, services: RequestServices, period: DayOrPeriod, tickers: Tickers) -> Response:
    """What was predicted again for a session, by model; `hindsight`: the model's training reached beyond it."""
    negotiate(request.headers.get("accept"))
    return frame_response(queries.read_reforecasts(services.lake, _require_period(period), tickers), request)


def _require_period(period: Period | None) -> Period:
    if period is None:
        raise InvalidRequestError("give date, or start_date and end_date, as YYYY-MM-DD")
    return period
