"""The Events page over HTTP, and another try of an event that could not be handled."""

import asyncio
from collections.abc import Mapping
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
from portfoliomanager.pages.events import EventsView, SchedulePanel, ServiceCard, find_place, list_events
from portfoliomanager.pages.frame import Page
from portfoliomanager.pages.rendering import render_page
from portfoliomanager.pages.sources import Found, ask
from portfoliomanager.ports import Peer, SchedulerPeer
from portfoliomanager.routes.page_frame import gather_frame
from portfoliomanager.services import RequestServices, Services

router = APIRouter(tags=["pages"])
forms = make_form_router()
OWN, DATAMANAGER, SCHEDULER = "portfoliomanager", "datamanager", "scheduler"
ABOUT = {
    OWN: "Forecasts, decisions, orders and reports",
    DATAMANAGER: "Bars, details and corporate actions",
    SCHEDULER: "Starts each run by the exchange's calendar, and follows it",
}


@router.get(Page.EVENTS, summary="Readiness and events of the services on one page", response_class=HTMLResponse)
async def get_events_page(request: Request, services: RequestServices) -> Response:
    """How each service is, the newest events of all boxes, what nobody could handle, and the scheduler's runs."""
    peers = _peers_of(services)
    frame, own_checks, own_events, schedule, asked = await asyncio.gather(
        gather_frame(request, Page.EVENTS),
        operation_routes_of(request).run_checks(),
        services.cycle.bus.recent(),
        _ask_schedule(services.scheduler),
        asyncio.gather(*(_ask_peer(name, peer) for name, peer in peers.items())),
    )
    cards = [ServiceCard(OWN, ABOUT[OWN], own_checks), *(card for card, _ in asked)]
    boxes = {OWN: own_events} | {card.name: events.value for card, events in asked if events.value is not None}
    problems = [events.problem for _, events in asked if events.problem]
    undecided = await asyncio.to_thread(services.operations.describe_undecided)
    view = EventsView(cards, list_events(boxes, _name_places(request, peers)), problems, schedule, undecided)
    return page_response(request, render_page("events.html", frame, view))


def _peers_of(services: Services) -> dict[str, Peer]:
    """The other services by name; there may be no scheduler."""
    return {DATAMANAGER: services.datamanager} | ({SCHEDULER: services.scheduler} if services.scheduler else {})


def _name_places(request: Request, peers: Mapping[str, Peer]) -> dict[str, str]:
    """The services by `host:port`; this one is where the request has arrived."""
    places = {find_place(peer.url): name for name, peer in peers.items()}
    if server := request.scope.get("server"):
        places["{}:{}".format(*server)] = OWN
    return places


async def _ask_peer(name: str, peer: Peer) -> tuple[ServiceCard, Found[RecentEvents]]:
    checks, events = await asyncio.gather(ask(name, peer.checks), ask(name, peer.events))
    return ServiceCard(name, ABOUT[name], checks.value, checks.problem), events


async def _ask_schedule(scheduler: SchedulerPeer | None) -> SchedulePanel | None:
    """The scheduler's runs; None where there is none."""
    if scheduler is None:
        return None
    found = await ask(SCHEDULER, scheduler.schedule)
    return SchedulePanel.of(found.value) if found.value else SchedulePanel([], found.problem)


@forms.post("/redeliveries")
async def redeliver(
    request: Request, services: RequestServices, service: Annotated[str, Form()], event_id: Annotated[str, Form()]
) -> Response:
    """Let a parked event be handled again, as its owner asks."""
    if role_of(request.scope) is not Role.OWNER:
        raise ForbiddenError("only the owner lets an event be handled again")
    if peer := _peers_of(services).get(service):
        await asyncio.to_thread(peer.redeliver, event_id)
    elif not await services.cycle.bus.redeliver(event_id):
        raise NotFoundError(f"no event {event_id} is parked any more")
    return RedirectResponse(Page.EVENTS, HTTPStatus.SEE_OTHER)


router.include_router(forms)
