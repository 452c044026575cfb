"""Publishes what the venue recorded: a session's open or close becomes a cloud event in the durable outbox.

An event's id is a function of its type and session, so that publishing one again after a crash repeats the same event.
"""

import asyncio

from fastapi.concurrency import run_in_threadpool

from internal.cloud_events import EventBus, make_event
from internal.event_types import EventType
from internal.venue.clock import Auction
from internal.venue.repository import VenueRepository

SOURCE = "/exchange"
EVENT_TYPES = {Auction.OPEN: EventType.SESSION_OPENED, Auction.CLOSE: EventType.SESSION_CLOSED}
AUCTIONS = {str(event_type): auction for auction, event_type in EVENT_TYPES.items()}


class Publisher:
    """Hands recorded events to the bus; `turn` lets one client at a time move the clock."""

    def __init__(self, repository: VenueRepository, bus: EventBus) -> None:
        self._repository = repository
        self._bus = bus
        self.turn = asyncio.Lock()

    async def publish_recorded(self) -> None:
        """Publishes every recorded event that is not in the outbox yet, oldest first."""
        for number, event in await run_in_threadpool(self._repository.unsent_events):
            await self._bus.publish(make_event(EVENT_TYPES[event.auction], SOURCE, event.session, {}))
            await run_in_threadpool(self._repository.mark_event_sent, number)
