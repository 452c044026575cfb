"""The endpoints of an event bus: `POST /events` receives one, `GET /events` lists them, a parked one is redelivered."""

from typing import Protocol

from cloudevents.core.v1.event import CloudEvent
from fastapi import APIRouter, Request
from pydantic import BaseModel

from internal.cloud_events.event import read_event
from internal.cloud_events.responses import RecentEvents
from internal.errors import NotFoundError


class Redelivery(BaseModel):
    """Which parked event is handled again."""

    id: str


class Bus(Protocol):
    """What the endpoints need of an event bus."""

    async def receive(self, event: CloudEvent) -> bool:
        """Store an event; False when it is stored already."""
        ...

    async def redeliver(self, event_id: str) -> int:
        """Handle parked events again; how many there are."""
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

    async def post_redelivery(self, redelivery: Redelivery) -> None:
        """Handle, or deliver, a parked event again; NotFoundError when none is parked under that id."""
        if not await self._bus.redeliver(redelivery.id):
            raise NotFoundError(f"no event {redelivery.id} is parked: GET /events lists them")

    async def get_events(self) -> RecentEvents:
        """List the newest events."""
        return await self._bus.recent()

    def router(self) -> APIRouter:
        """The router with both endpoints."""
        router = APIRouter(tags=["events"])
        received = "Receive a CloudEvent (binary or structured mode)"
        router.add_api_route("/events", self.post_event, methods=["POST"], status_code=204, summary=received)
        again = "Handle, or deliver, a parked event again"
        router.add_api_route(
            "/events/redeliveries", self.post_redelivery, methods=["POST"], status_code=204, summary=again
        )
        listed = "The last 100 events of outbox and inbox: state, attempts, last error"
        router.add_api_route("/events", self.get_events, methods=["GET"], summary=listed)
        return router
