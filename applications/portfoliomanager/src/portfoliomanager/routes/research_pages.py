"""The pages of research over HTTP: backtests and sweeps, the tear sheet of one run, the heat map of one sweep."""

import asyncio
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse

from internal.backtests.deflation import DeflatedSharpe
from internal.backtests.settings import BacktestSettings
from internal.errors import FundError, NotFoundError
from internal.pages.responses import page_response
from portfoliomanager.pages.frame import Frame, Page
from portfoliomanager.pages.rendering import render_page
from portfoliomanager.pages.research import ResearchView, TrialCounts
from portfoliomanager.pages.research_run import RunView
from portfoliomanager.pages.research_sweep import SweepView
from portfoliomanager.pages.sources import ask
from portfoliomanager.research_library import ResearchLibrary
from portfoliomanager.routes.page_frame import gather_frame
from portfoliomanager.services import RequestServices, Services

SOURCE = "The research folder"
SECONDS = 10.0  # the first look at hundreds of reports
NO_FOLDER = (
    "this service has no research folder: backtests are run beside a fund of `./fund up` or `./fund run`, and "
    "RESEARCH_DIRECTORY names their folder"
)
Name = Annotated[str, Path(max_length=64, description="The folder's name, 16 hexadecimal digits")]
Parameter = Annotated[str, Query(max_length=100)]
router = APIRouter(tags=["pages"])


@router.get(Page.RESEARCH, summary="Page: backtests and sweeps", response_class=HTMLResponse)
async def get_research_page(
    request: Request,
    services: RequestServices,
    q: Annotated[str, Query(max_length=100)] = "",
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> Response:
    """Every backtest with its key figures once all trials are counted, and the sweeps; it only reads."""
    frame = await gather_frame(request, Page.RESEARCH)
    found = await ask(SOURCE, lambda: _read_all(services, frame, q, page), SECONDS)
    view = found.value or ResearchView(frame, found.problem)
    return page_response(request, render_page("research.html", frame, view))


@router.get("/research/sweeps/{name}", summary="Page: one sweep", response_class=HTMLResponse)
async def get_sweep_page(
    request: Request, services: RequestServices, name: Name, across: Parameter = "", down: Parameter = ""
) -> Response:
    """A heat map over two parameters, and every variant with its figures."""
    frame = await gather_frame(request, Page.RESEARCH)

    def read() -> SweepView:
        library = _require_library(services)
        report = library.sweep(name)
        deflated, problem = _deflate(library, report.settings)
        return SweepView(frame, name, report, deflated, across, down, problem)

    return await _show(request, "research_sweep.html", frame, read)


@router.get("/research/{name}", summary="Page: the tear sheet of one backtest", response_class=HTMLResponse)
async def get_run_page(request: Request, services: RequestServices, name: Name) -> Response:
    """Value beside the benchmark, drawdowns, months, figures with their intervals, costs, capacity and trials."""
    frame = await gather_frame(request, Page.RESEARCH)

    def read() -> RunView:
        library = _require_library(services)
        report = library.report(name)
        deflated, problem = _deflate(library, report.settings)
        return RunView(frame, name, report, deflated, problem)

    return await _show(request, "research_run.html", frame, read)


async def _show(request: Request, template: str, frame: Frame, read: Callable[[], RunView | SweepView]) -> Response:
    """The page of what was read; what is missing or damaged is a problem of the request."""
    return page_response(request, render_page(template, frame, await asyncio.to_thread(read)))


def _require_library(services: Services) -> ResearchLibrary:
    if services.research is None:
        raise NotFoundError(NO_FOLDER)
    return services.research


def _read_all(services: Services, frame: Frame, search: str, page: int) -> ResearchView:
    if services.research is None:
        return ResearchView(frame, NO_FOLDER, is_empty=True)
    library = services.research
    try:
        trials, problem = TrialCounts.of(library.trials()), ""
    except FundError as error:
        trials, problem = None, error.detail
    runs = library.list_runs(search.lower().split())
    return ResearchView(frame, "", not library.is_there, trials, problem, runs, library.list_sweeps(), search, page)


def _deflate(library: ResearchLibrary, settings: BacktestSettings) -> tuple[DeflatedSharpe | None, str]:
    """The deflated Sharpe ratio, and why the trials cannot be counted where the ledger is damaged."""
    try:
        return library.deflate(settings), ""
    except FundError as error:
        return None, error.detail
