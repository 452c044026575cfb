"""Predictions over HTTP: keep them by date, read them."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from datamanager import queries
from datamanager.routes.frame_bodies import frame_body
from datamanager.routes.parameters import DayOrPeriod, Tickers
from datamanager.services import Services, services
from datamanager.storage import keep_predictions
from internal.errors import InvalidRequestError
from internal.http.frames import FRAME_RESPONSES, frame_response, negotiate, read_frame
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


class StoredResponse(BaseModel):
    """How many rows were stored."""

    rows: int


@router.post("", summary="Replace the predictions of their dates", openapi_extra=frame_body(EXAMPLE))
async def store_predictions(request: Request, parts: Annotated[Services, Depends(services)]) -> StoredResponse:
    """Check the frame and replace the rows of its dates in one commit."""
    frame = await read_frame(request, predictions.COLUMNS)
    return StoredResponse(rows=await asyncio.to_thread(keep_predictions, parts.lake, frame))


@router.get("", summary="Predictions of a day or a range", responses=FRAME_RESPONSES, response_class=Response)
def read_predictions(
    request: Request,
    parts: Annotated[Services, Depends(services)],
    period: DayOrPeriod,
    tickers: Tickers,
) -> Response:
    """Predictions by the session they were made at, ordered by date, ticker and horizon."""
    negotiate(request.headers.get("accept"))
    if period is None:
        raise InvalidRequestError("give date, or start_date and end_date, as YYYY-MM-DD")
    return frame_response(queries.predictions(parts.lake, period, tickers), request)
