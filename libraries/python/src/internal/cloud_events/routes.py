"""The two endpoints of a bus: POST /events takes one in, GET /events shows how far all are.

Knows HTTP. Knows nothing of queues: it asks the bus.
"""

from typing import Any, Protocol

from cloudevents.core.v1.event import CloudEvent
from fastapi import APIRouter, Request

from internal.cloud_events.event import read_event


class Bus(Protocol):
    """What the endpoints ask of a bus."""

    async def receive(self, event: CloudEvent) -> bool:
        """Keep an event; False when it is there already."""

    async def recent(self) -> dict[str, list[dict[str, Any]]]:
        """The newest events of outbox and inbox."""


def event_router(bus: Bus) -> APIRouter:
    """The endpoints of this bus."""
    router = APIRouter(tags=["events"])

    @router.post("/events", status_code=204, summary="Take a CloudEvent in (binary or structured mode)")
    async def post_event(request: Request) -> None:
        await bus.receive(read_event(request.headers, await request.body()))

    @router.get("/events", summary="The last 100 events of outbox and inbox: state, attempts, last error")
    async def get_events() -> dict[str, list[dict[str, Any]]]:
        return await bus.recent()

    return router
