"""The Data page over HTTP."""

import asyncio
from datetime import timedelta

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from internal.action_kinds import ActionKind
from internal.pages.responses import page_response
from internal.trading.funnel import Funnel
from internal.trading.order_planning import list_decisions
from portfoliomanager.pages.corporate_actions import ActionLine, list_actions
from portfoliomanager.pages.data import DataPage, DataView, DecidedNames
from portfoliomanager.pages.frame import Page
from portfoliomanager.pages.rendering import render_page
from portfoliomanager.pages.sources import DATAMANAGER, JOURNAL, ask
from portfoliomanager.routes.page_frame import gather_frame
from portfoliomanager.services import RequestServices, Services

router = APIRouter(tags=["pages"])
SHOWN_DAYS = timedelta(days=90)


@router.get("/data", summary="Sessions, quarantine and corporate actions on one page", response_class=HTMLResponse)
async def get_data_page(request: Request, services: RequestServices) -> Response:
    """The session calendar, what is held back and why, corporate actions, and what needs a person."""
    frame, data, names = await asyncio.gather(
        gather_frame(request, Page.DATA),
        ask(DATAMANAGER, lambda: _read_data(services)),
        ask(JOURNAL, lambda: _read_names(services)),
    )
    actions = await ask(DATAMANAGER, lambda: _read_actions(services, data.value) if data.value else [])
    page = DataPage(data.value, names.value, actions.value, data.problem, actions.problem)
    return page_response(request, render_page("data.html", frame, page))


def _read_data(services: Services) -> DataView:
    return DataView.of(services.data.check_data(), services.data.sessions(), services.details.read().height)


def _read_names(services: Services) -> DecidedNames | None:
    services.journal.refresh()
    runs = list_decisions(services.journal.runs())
    record = services.replays.find_record(runs[-1]) if runs else None
    return None if record is None else DecidedNames(record.day, Funnel.of(record.names))


def _read_actions(services: Services, view: DataView) -> list[ActionLine]:
    end = view.check.end
    return list_actions(services.data.corporate_actions(end - SHOWN_DAYS, end, list(ActionKind)))
