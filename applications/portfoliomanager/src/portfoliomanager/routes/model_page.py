"""The champion and the registry over HTTP: a page, or JSON."""

import asyncio
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from internal.http.frames import JSON, negotiate
from internal.pages.responses import page_response
from portfoliomanager.forecast_monitoring import ForecastScore
from portfoliomanager.model_responses import RegistryResponse
from portfoliomanager.pages.frame import Page
from portfoliomanager.pages.model import ModelView
from portfoliomanager.pages.rendering import render_page
from portfoliomanager.pages.sources import ask
from portfoliomanager.routes.page_frame import gather_frame
from portfoliomanager.services import RequestServices

router = APIRouter(tags=["pages"])
HTML = "text/html"
PAGES: dict[str, dict[str, dict[str, str]]] = {"content": {HTML: {}}}


@dataclass(frozen=True)
class ModelPage:
    """The page, and why the registry could not be read; `live` is of the newest forecasts, where they were measured."""

    model: ModelView | None
    problem: str
    live: ForecastScore | None = None

    @property
    def largest(self) -> float:
        """The largest difference, per cent, at which the bars end."""
        return max((abs(line.difference) for line in self.model.lines), default=0.0) if self.model else 0.0

    @property
    def chart(self) -> dict[str, object]:
        """The data of the charts; fractions."""
        live = [(day.isoformat(), share) for day, share in self.live.by_session] if self.live else []
        return self.model.chart | {"live": live} if self.model else {}


@router.get(
    Page.MODEL,
    summary="The champion and the registry",
    response_model=RegistryResponse,
    responses={200: PAGES, 503: {"description": "JSON: the registry cannot be read"}},
)
async def get_model_page(request: Request, services: RequestServices) -> Response:
    """A page with the verdict of the champion's evaluation, or with `Accept: application/json` the registry alone."""
    if negotiate(request.headers.get("accept"), (HTML, JSON)) == JSON:
        view = ModelView.of(await asyncio.to_thread(services.champion.list_registered))
        body = RegistryResponse.of(view.versions).model_dump_json()
        return Response(body, media_type=JSON, headers={"Vary": "Accept"})
    frame, found = await asyncio.gather(
        gather_frame(request, Page.MODEL),
        ask("The registry", lambda: ModelView.of(services.champion.list_registered())),
    )
    page = ModelPage(found.value, found.problem, services.operations.live_score)
    return page_response(request, render_page("model.html", frame, page))
