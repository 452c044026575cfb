"""From the exchange's own record of events into the durable outbox.

Knows that a recorded event must be sent at least once. Ids are a function of type and session, so that sending one
again after a crash is the same event to everybody.
"""

import asyncio
from datetime import date

from fastapi.concurrency import run_in_threadpool

from exchange.adapters.database import Database
from exchange.adapters.sqlite_repository import Ledger
from internal.cloud_events import EventBus, make_event
from internal.event_types import EventType

SOURCE = "/exchange"


class Publisher:
    """Hands recorded events to the bus; `turn` lets one mover of the clock act at a time."""

    def __init__(self, database: Database, bus: EventBus) -> None:
        self._database = database
        self._bus = bus
        self.turn = asyncio.Lock()

    async def publish_recorded(self) -> None:
        """Publishes every recorded event that is not in the outbox yet, oldest first."""
        for sequence, event_type, session in await run_in_threadpool(self._unsent):
            await self._bus.publish(make_event(EventType(event_type), SOURCE, session, {}))
            await run_in_threadpool(self._mark, sequence)

    def _unsent(self) -> list[tuple[int, str, date]]:
        with self._database.reading() as connection:
            return Ledger(connection).unsent_session_events()

    def _mark(self, sequence: int) -> None:
        with self._database.transaction() as connection:
            Ledger(connection).mark_session_event_sent(sequence)
