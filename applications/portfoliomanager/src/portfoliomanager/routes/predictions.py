"""Predictions over HTTP: forecast a session, read forecasts, ask why one is what it is."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from internal.http.frames import BARS_VERSION_HEADER, FRAME_RESPONSES, JSON, frame_response, negotiate
from portfoliomanager.forecast_explanation import explain, stored_predictions
from portfoliomanager.pages.explanation import render
from portfoliomanager.routes.bodies import DayRequest
from portfoliomanager.routes.explanation import ExplanationBody, explanation_body
from portfoliomanager.services import Services, services

router = APIRouter(prefix="/predictions", tags=["predictions"])
HTML = "text/html"
PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"description": "No predictions of that session, or none of that ticker"},
    409: {"description": "The forecast comes from a baseline, which weighs nothing"},
    503: {"description": "The model that made the forecast is not in the registry"},
}


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
    found = stored_predictions(parts.store, day, parts.broker.moment())
    return frame_response(found, request, bars_version=found.item(0, "bars_version"))


@router.get(
    "/{ticker}/explanation",
    summary="Why a ticker's forecast is what it is",
    response_model=ExplanationBody,
    responses={200: {"content": {HTML: {}}}, **PROBLEMS},
)
def read_explanation(
    request: Request,
    ticker: Annotated[str, Path(description="As in the predictions, e.g. AAPL", max_length=32)],
    parts: Annotated[Services, Depends(services)],
    day: Annotated[
        date | None, Query(alias="date", description="The session forecast from; default: the latest")
    ] = None,
) -> Response:
    """Weights of the variables and of the past sessions, by the model that made the forecast; JSON, or a page."""
    media_type = negotiate(request.headers.get("accept"), (JSON, HTML))
    body = explanation_body(explain(parts.store, parts.champion, ticker, day, parts.broker.moment()))
    content = render(body) if media_type == HTML else body.model_dump_json()
    return Response(
        content, media_type=media_type, headers={"Vary": "Accept", BARS_VERSION_HEADER: str(body.bars_version)}
    )
