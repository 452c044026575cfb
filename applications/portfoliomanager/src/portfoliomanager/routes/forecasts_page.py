"""The Forecasts page over HTTP."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from internal.errors import NotFoundError
from internal.pages.responses import page_response
from portfoliomanager.forecast_explanation import read_predictions
from portfoliomanager.pages.forecasts import ForecastOrder, ForecastQuery, ForecastsView
from portfoliomanager.pages.frame import Page
from portfoliomanager.pages.rendering import render_page
from portfoliomanager.pages.sources import BROKER, DATAMANAGER, ask
from portfoliomanager.routes.page_frame import gather_frame
from portfoliomanager.services import RequestServices, Services

router = APIRouter(tags=["pages"])
SECONDS = 10.0  # the predictions of 8,000 tickers and 20 sessions take a while


@dataclass(frozen=True)
class ForecastsPage:
    """The page; without forecasts `problem` says why, and `is_empty` whether there simply are none."""

    forecasts: ForecastsView | None
    problem: str
    is_empty: bool
    source: str = DATAMANAGER


@router.get(Page.FORECASTS, summary="The newest forecasts of all tickers on a page", response_class=HTMLResponse)
async def get_forecasts_page(
    request: Request,
    services: RequestServices,
    text: Annotated[str, Query(alias="q", max_length=100)] = "",
    order: Annotated[ForecastOrder, Query(alias="sort")] = ForecastOrder.SCORE,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> Response:
    """A hundred rows a page, searched by ticker, name and sector, sorted by score, ticker, median or width."""
    query = ForecastQuery(text, order, page)
    frame = await gather_frame(request, Page.FORECASTS)
    read = await _gather_forecasts(services, query, frame.moment)
    return page_response(request, render_page("forecasts.html", frame, read))


async def _gather_forecasts(services: Services, query: ForecastQuery, moment: datetime | None) -> ForecastsPage:
    if moment is None:
        return ForecastsPage(None, "which forecasts are the newest is not known", is_empty=False, source=BROKER)
    found = await ask(DATAMANAGER, lambda: _read(services, query, moment), SECONDS)
    return found.value or ForecastsPage(None, found.problem, is_empty=False)


def _read(services: Services, query: ForecastQuery, moment: datetime) -> ForecastsPage:
    try:
        predictions = read_predictions(services.data, None, moment)
    except NotFoundError as error:
        return ForecastsPage(None, error.detail, is_empty=True)
    return ForecastsPage(ForecastsView.of(predictions, services.details.read(), query), "", is_empty=False)
