"""Predictions over HTTP: forecast a session, read forecasts, ask why one is what it is."""

import asyncio
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from internal.http.frame_documentation import document_response_frame
from internal.http.frames import BARS_VERSION_HEADER, JSON, frame_response, negotiate
from internal.pages.responses import page_response
from internal.schemas import predictions
from portfoliomanager.explanation_response import ExplanationResponse, explanation_response
from portfoliomanager.forecast_explanation import StoredForecast, explain_forecast, find_forecast, read_predictions
from portfoliomanager.pages.explanation import ExplanationView, Weights
from portfoliomanager.pages.frame import Page
from portfoliomanager.pages.rendering import render_page
from portfoliomanager.requests import DayRequest
from portfoliomanager.responses import PredictionsResponse
from portfoliomanager.routes.page_frame import gather_frame
from portfoliomanager.services import RequestServices, Services

router = APIRouter(prefix="/predictions", tags=["predictions"])
HTML = "text/html"
PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"description": "No predictions of that session, or none of that ticker"},
    409: {"description": "The forecast comes from a baseline, which has no weights"},
    503: {"description": "The model that made the forecast is not in the registry"},
}
OriginDay = Annotated[date | None, Query(alias="date", description="The session forecast from; default: the latest")]
PageWeights = Annotated[
    bool, Query(alias="weights", description="Page: with the weights, for which it asks itself once it is shown")
]
OneTicker = Annotated[str | None, Query(max_length=32, description="Of this one alone")]


@router.post("", summary="Forecast a session with the champion model")
async def post_predictions(body: DayRequest, services: RequestServices) -> PredictionsResponse:
    """Read its bars, forecast seven sessions of every ticker, store the predictions and announce them."""
    return PredictionsResponse.of(await services.cycle.predict(body.day))


@router.get(
    "",
    summary="Predictions of a session",
    responses=document_response_frame(predictions.COLUMNS),
    response_class=Response,
)
def get_predictions(
    request: Request, services: RequestServices, day: OriginDay = None, ticker: OneTicker = None
) -> Response:
    """The predictions made at the close of a session, of all tickers or one; no rows where it was not forecast."""
    negotiate(request.headers.get("accept"))
    found = read_predictions(services.data, day, services.broker.moment())
    rows = found if ticker is None else found.filter(ticker=ticker)
    return frame_response(rows, request, bars_version=found.item(0, "bars_version"))


@router.get(
    "/{ticker}/explanation",
    summary="Why a ticker's forecast is what it is",
    response_model=ExplanationResponse,
    responses={200: {"content": {HTML: {}}}, **PROBLEMS},
)
async def get_explanation(
    request: Request,
    ticker: Annotated[str, Path(description="As in the predictions, e.g. AAPL", max_length=32)],
    services: RequestServices,
    day: OriginDay = None,
    with_weights: PageWeights = False,  # noqa: FBT002 - a query parameter
) -> Response:
    """Weights of the variables and of the past sessions, by the model that made the forecast; JSON, or a page."""
    media_type = negotiate(request.headers.get("accept"), (JSON, HTML))
    forecast = await asyncio.to_thread(_find, services, ticker, day)
    if media_type == HTML and not with_weights:
        return await _answer_page(request, ExplanationView.of(forecast, None))
    found = await asyncio.to_thread(_explain, services, forecast)
    if media_type == HTML:
        response = await _answer_page(request, ExplanationView.of(forecast, Weights.of(found)))
    else:
        response = Response(found.model_dump_json(), media_type=media_type, headers={"Vary": "Accept"})
    response.headers[BARS_VERSION_HEADER] = str(found.bars_version)
    return response


async def _answer_page(request: Request, view: ExplanationView) -> Response:
    frame = await gather_frame(request, Page.FORECASTS)
    return page_response(request, render_page("explanation.html", frame, view))


def _find(services: Services, ticker: str, day: date | None) -> StoredForecast:
    return find_forecast(services.data, ticker, day, services.broker.moment())


def _explain(services: Services, forecast: StoredForecast) -> ExplanationResponse:
    return explanation_response(explain_forecast(services.data, services.champion, forecast))
