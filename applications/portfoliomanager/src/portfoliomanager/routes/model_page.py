"""The Model page over HTTP."""

import asyncio
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from internal.pages.responses import page_response
from portfoliomanager.pages.frame import Page
from portfoliomanager.pages.model import ModelView
from portfoliomanager.pages.rendering import render_page
from portfoliomanager.pages.sources import ask
from portfoliomanager.routes.page_frame import gather_frame
from portfoliomanager.services import RequestServices

router = APIRouter(tags=["pages"])


@dataclass(frozen=True)
class ModelPage:
    """The page, and why the registry could not be read."""

    model: ModelView | None
    problem: str

    @property
    def largest(self) -> float:
        """The largest difference, per cent, at which the bars end."""
        return max((abs(line.difference) for line in self.model.lines), default=0.0) if self.model else 0.0


@router.get(Page.MODEL, summary="The champion and the registry on one page", response_class=HTMLResponse)
async def get_model_page(request: Request, services: RequestServices) -> Response:
    """The verdict of the champion's evaluation, its losses beside the baselines, and the registry."""
    frame, found = await asyncio.gather(
        gather_frame(request, Page.MODEL),
        ask("The registry", lambda: ModelView.of(services.champion.list_registered())),
    )
    return page_response(request, render_page("model.html", frame, ModelPage(found.value, found.problem)))
