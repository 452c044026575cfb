"""The Events page over HTTP, and another try of an event that could not be handled."""

import asyncio
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from internal.cloud_events.responses import RecentEvents
from internal.errors import ForbiddenError, NotFoundError
from internal.http.access import role_of
from internal.http.forms import make_form_router
from internal.http.roles import Role
from internal.http.service import operation_routes_of
from internal.pages.responses import page_response
from portfoliomanager.pages.events import EventsView, ServiceCard, list_events
from portfoliomanager.pages.frame import Page
from portfoliomanager.pages.rendering import render_page
from portfoliomanager.pages.sources import ask
from portfoliomanager.routes.page_frame import gather_frame
from portfoliomanager.services import RequestServices

router = APIRouter(tags=["pages"])
forms = make_form_router()
OWN, DATAMANAGER = "portfoliomanager", "datamanager"
ABOUT = {OWN: "Forecasts, decisions, orders and reports", DATAMANAGER: "Bars, details and corporate actions"}


@router.get(Page.EVENTS, summary="Readiness and events of the services on one page", response_class=HTMLResponse)
async def get_events_page(request: Request, services: RequestServices) -> Response:
    """How each service is, the newest events of both boxes, and what nobody could handle."""
    operations, peer = operation_routes_of(request), services.datamanager
    frame, own_checks, own_events, checks, events = await asyncio.gather(
        gather_frame(request, Page.EVENTS),
        operations.run_checks(),
        services.cycle.bus.recent(),
        ask(DATAMANAGER, peer.checks),
        ask(DATAMANAGER, peer.events),
    )
    cards = (
        ServiceCard(OWN, ABOUT[OWN], own_checks),
        ServiceCard(DATAMANAGER, ABOUT[DATAMANAGER], checks.value, checks.problem),
    )
    boxes = {OWN: own_events, DATAMANAGER: events.value or RecentEvents(outbox=[], inbox=[])}
    view = EventsView(cards, list_events(boxes), [events.problem] if events.problem else [])
    return page_response(request, render_page("events.html", frame, view))


@forms.post("/redeliveries")
async def redeliver(
    request: Request, services: RequestServices, service: Annotated[str, Form()], event_id: Annotated[str, Form()]
) -> Response:
    """Let a parked event be handled again, as its owner asks."""
    if role_of(request.scope) is not Role.OWNER:
        raise ForbiddenError("only the owner lets an event be handled again")
    if service == DATAMANAGER:
        await asyncio.to_thread(services.datamanager.redeliver, event_id)
    elif not await services.cycle.bus.redeliver(event_id):
        raise NotFoundError(f"no event {event_id} is parked any more")
    return RedirectResponse(Page.EVENTS, HTTPStatus.SEE_OTHER)


router.include_router(forms)
