"""Past decisions over HTTP: the sessions on a page, one of them whole as a page or JSON, and taken again."""

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse

from internal.errors import FundError
from internal.http.frames import JSON, negotiate
from internal.pages.responses import page_response
from internal.trading.enums import NameOutcome
from internal.trading.order_planning import list_decisions
from internal.trading.runs import RebalanceRun
from portfoliomanager.decision_responses import DecisionDetailResponse, ReplayResponse
from portfoliomanager.fill_days import read_opens
from portfoliomanager.pages.decisions import (
    DecisionView,
    NameQuery,
    ReplayView,
    SessionsView,
)
from portfoliomanager.pages.exposures import read_names
from portfoliomanager.pages.frame import Page
from portfoliomanager.pages.rendering import render_page, render_part
from portfoliomanager.pages.sources import DATAMANAGER, ask
from portfoliomanager.routes.page_frame import gather_frame
from portfoliomanager.services import RequestServices, Services

router = APIRouter(tags=["decisions"])
HTML = "text/html"
PAGES: dict[str, dict[str, dict[str, str]]] = {"content": {HTML: {}}}
NONE_DECIDED = {"description": "No strategy has decided that session"}
Day = Annotated[date, Path(description="A session that was decided")]
PageNumber = Annotated[int, Query(alias="page", ge=1, le=1_000_000)]
PageResult = Annotated[
    bool, Query(alias="result", description="Page: with what came of it, for which it asks itself once it is shown")
]


@router.get(Page.DECISIONS, summary="Page: the sessions that were decided", response_class=HTMLResponse)
async def get_decisions_page(request: Request, services: RequestServices, page: PageNumber = 1) -> Response:
    """Each with its orders, what was filled and what it cost; by the journal alone."""
    frame, view = await asyncio.gather(
        gather_frame(request, Page.DECISIONS), asyncio.to_thread(_read_sessions, services, page)
    )
    return page_response(request, render_page("decisions.html", frame, view))


@router.get(
    f"{Page.DECISIONS}/{{day}}",
    summary="A decision whole: funnel, every name and why, orders and fills",
    response_model=DecisionDetailResponse,
    responses={200: PAGES, 404: NONE_DECIDED},
)
async def get_decision(  # noqa: PLR0913, PLR0917 - what is asked of the page
    request: Request,
    services: RequestServices,
    day: Day,
    text: Annotated[str, Query(alias="q", max_length=100, description="Words of ticker, company or reason")] = "",
    outcome: Annotated[NameOutcome | None, Query(description="Of the names")] = None,
    page: PageNumber = 1,
    ticker: Annotated[str | None, Query(max_length=32, description="JSON: only its name and orders")] = None,
) -> Response:
    """JSON with all names, or one, or a page that shows a hundred of them at once."""
    media_type = negotiate(request.headers.get("accept"), (JSON, HTML))
    run = await asyncio.to_thread(services.replays.find_run, day)
    record = await asyncio.to_thread(services.replays.find_record, run)
    if media_type == JSON:
        orders = services.journal.of(run.portfolio_id)
        body = DecisionDetailResponse.of(run, orders, record, ticker).model_dump_json()
        return Response(body, media_type=JSON, headers={"Vary": "Accept"})
    frame, details, opens = await asyncio.gather(
        gather_frame(request, Page.DECISIONS),
        ask(DATAMANAGER, services.details.read),
        ask(DATAMANAGER, lambda: read_opens(services.data, services.journal.of(run.portfolio_id))),
    )
    companies = {} if details.value is None else read_names(details.value)
    runs, query = _list_runs(services), NameQuery(day, text, outcome, page)
    view = await asyncio.to_thread(
        DecisionView.of, runs, run, services.journal.of, record, companies, query, opens.value or {}
    )
    return page_response(request, render_page("decision.html", frame, view))


@router.get(
    f"{Page.DECISIONS}/{{day}}/replay",
    summary="A decision taken again from what was known then",
    response_model=ReplayResponse,
    responses={200: PAGES, 404: NONE_DECIDED, 409: {"description": "Too little was stored with the decision"}},
)
async def get_replay(
    request: Request,
    services: RequestServices,
    day: Day,
    with_result: PageResult = False,  # noqa: FBT002 - a query parameter
) -> Response:
    """What differs, bit for bit; nothing is sent or stored. JSON, a page, or the part of one that htmx asks for."""
    media_type = negotiate(request.headers.get("accept"), (JSON, HTML))
    if media_type == JSON:
        replay = await asyncio.to_thread(services.replays.replay, day)
        return Response(ReplayResponse.of(replay).model_dump_json(), media_type=JSON, headers={"Vary": "Accept"})
    is_part = "hx-request" in request.headers
    if is_part or with_result:
        view = await asyncio.to_thread(_replay, services, day)
    else:
        await asyncio.to_thread(services.replays.find_run, day)  # 404 for a session that was not decided
        view = ReplayView(day)
    if is_part:
        return page_response(request, render_part("replay.html", view))
    frame = await gather_frame(request, Page.DECISIONS)
    return page_response(request, render_page("replay_page.html", frame, view))


def _replay(services: Services, day: date) -> ReplayView:
    """The decision taken again, or why it cannot be."""
    try:
        return ReplayView(day, services.replays.replay(day))
    except FundError as error:
        return ReplayView(day, problem=error.detail)


def _read_sessions(services: Services, page: int) -> SessionsView:
    services.journal.refresh()
    return SessionsView.of(_list_runs(services), services.journal.of, page)


def _list_runs(services: Services) -> Sequence[RebalanceRun]:
    """The decisions of the journal as it was last read, newest first."""
    return list_decisions(services.journal.runs())[::-1]
