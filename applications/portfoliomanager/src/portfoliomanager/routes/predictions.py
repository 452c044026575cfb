"""Predictions over HTTP: forecast a session, read forecasts."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from internal.dates import last_closed_session, previous_session
from internal.errors import NotFoundError
from internal.http.frames import FRAME_RESPONSES, frame_response, negotiate
from portfoliomanager.routes.bodies import DayRequest
from portfoliomanager.services import Services, services

router = APIRouter(prefix="/predictions", tags=["predictions"])
LATEST_SESSIONS = 10  # how far back the latest predictions are looked for


@router.post("", summary="Forecast a session with the champion model")
async def make_predictions(body: DayRequest, parts: Annotated[Services, Depends(services)]) -> dict[str, Any]:
    """Read its bars, forecast seven sessions of every ticker, store the predictions and announce them."""
    predicted = await parts.cycle.predict(parts.bus, body.day)
    frame = predicted.forecast.frame
    return {
        "date": predicted.day,
        "tickers": frame.get_column("ticker").n_unique(),
        "rows": frame.height,
        "model_version": predicted.model_version,
        "bars_version": predicted.bars_version,
        "excluded": [{"ticker": ticker, "reason": reason} for ticker, reason in predicted.forecast.excluded],
    }


@router.get("", summary="Predictions of a session", responses=FRAME_RESPONSES, response_class=Response)
def read_predictions(
    request: Request,
    parts: Annotated[Services, Depends(services)],
    day: Annotated[
        date | None, Query(alias="date", description="The session forecast from; default: the latest")
    ] = None,
) -> Response:
    """The predictions made at the close of a session."""
    negotiate(request.headers.get("accept"))
    end = day or last_closed_session(parts.broker.moment())
    found = parts.store.predictions(day or previous_session(end, LATEST_SESSIONS), end)
    if found.is_empty():
        raise NotFoundError(f"there are no predictions {'of' if day else 'up to'} {end}: POST /predictions makes them")
    latest = found.filter(date=found.get_column("date").max())
    return frame_response(latest, request, bars_version=latest.item(0, "bars_version"))
