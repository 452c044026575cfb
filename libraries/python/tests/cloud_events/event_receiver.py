"""A service that notes the events that it handled, and what tests of events share."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path

from cloudevents.core.v1.event import CloudEvent
from fastapi import FastAPI
from pydantic import SecretStr

from internal.cloud_events import EventBus, make_event
from internal.cloud_events.event import event_date
from internal.event_types import EventType
from internal.http.service import create_service

CLOSED = EventType.SESSION_CLOSED
FIRST = date(2024, 1, 2)


def closed(number: int = 0, event_type: EventType = CLOSED, **data: object) -> CloudEvent:
    """The event of one of the days after the first."""
    return make_event(event_type, "/exchange", FIRST + timedelta(days=number), data)


class Receiver:
    """A service that notes the events it handled; while `fault` is set, its handler raises it."""

    def __init__(self, state_directory: Path, token: str = "") -> None:
        self.handled: list[str] = []
        self.fault: BaseException | None = None
        self.bus = EventBus(state_directory, "/receiver", [], {CLOSED: self._handle})
        self.application = create_service(
            "receiver", "Notes events", self._lifespan, token=SecretStr(token), readiness={"events": self.bus.check}
        )
        self.application.include_router(self.bus.router())

    async def _handle(self, event: CloudEvent) -> None:
        if self.fault:
            raise self.fault
        self.handled.append(event_date(event).isoformat())

    @asynccontextmanager
    async def _lifespan(self, _application: FastAPI) -> AsyncGenerator[None]:
        async with self.bus:
            yield


def eventually(holds: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until a condition holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "the condition did not hold in time"
        time.sleep(0.02)


def days(*numbers: int) -> list[str]:
    """The days of events by number."""
    return [(FIRST + timedelta(days=number)).isoformat() for number in numbers]


def publish(directory: Path, subscribers: list[str], *events: CloudEvent, token: str = "") -> None:
    """Publish and wait until all is delivered."""

    async def run() -> None:
        async with EventBus(directory, "/exchange", subscribers, {}, token=SecretStr(token)) as bus:
            for event in events:
                await bus.publish(event)
            await asyncio.wait_for(bus.wait_until_idle(), 30)

    asyncio.run(run())
