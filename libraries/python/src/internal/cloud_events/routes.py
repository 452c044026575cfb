"""The endpoints of an event bus: `POST /events` receives an event, `GET /events` lists the newest ones."""

from typing import Protocol

from cloudevents.core.v1.event import CloudEvent
from fastapi import APIRouter, Request

from internal.cloud_events.event import read_event
from internal.cloud_events.responses import RecentEvents


class Bus(Protocol):
    """What the endpoints need of an event bus."""

    async def receive(self, event: CloudEvent) -> bool:
        """Store an event; False when it is stored already."""
        ...

    async def recent(self) -> RecentEvents:
        """The newest events of outbox and inbox."""
        ...


class EventRoutes:
    """The handlers of both endpoints, on one bus."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def post_event(self, request: Request) -> None:
        """Receive a CloudEvent."""
        await self._bus.receive(read_event(request.headers, await request.body()))

    async def get_events(self) -> RecentEvents:
        """List the newest events."""
        return await self._bus.recent()

    def router(self) -> APIRouter:
        """The router with both endpoints."""
        router = APIRouter(tags=["events"])
        received = "Receive a CloudEvent (binary or structured mode)"
        router.add_api_route("/events", self.post_event, methods=["POST"], status_code=204, summary=received)
        listed = "The last 100 events of outbox and inbox: state, attempts, last error"
        router.add_api_route("/events", self.get_events, methods=["GET"], summary=listed)
        return router
