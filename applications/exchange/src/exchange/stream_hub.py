"""Hands each change of the venue to every client that listens to `trade_updates`."""

import asyncio
from collections import deque
from collections.abc import Sequence

from exchange.responses.alpaca_stream import StreamMessage, TradeUpdateBody
from exchange.trade_updates import trade_updates
from internal.venue.state import VenueChange

TRADE_UPDATES = "trade_updates"
OUTBOX_LIMIT = 10_000  # messages; a client that is so far behind is disconnected


class Outbox:
    """The messages that wait for one client."""

    def __init__(self) -> None:
        self._messages: deque[StreamMessage] = deque()
        self._changed = asyncio.Event()
        self._overflowed = False

    def put(self, message: StreamMessage) -> None:
        """Adds a message; one too many ends the outbox."""
        self._overflowed = self._overflowed or len(self._messages) >= OUTBOX_LIMIT
        self._messages.append(message)
        self._changed.set()

    async def take(self) -> StreamMessage | None:
        """The oldest message, as soon as there is one; None once the client was too slow."""
        while not self._messages:
            self._changed.clear()
            await self._changed.wait()
        return None if self._overflowed else self._messages.popleft()


class StreamHub:
    """The clients that listen (`listeners`); changes come from any thread, messages leave on the event loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self.listeners: set[Outbox] = set()

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Names the event loop on which the clients are served."""
        self._loop = loop

    def listen(self, outbox: Outbox) -> None:
        """From now on the outbox gets every update."""
        self.listeners.add(outbox)

    def leave(self, outbox: Outbox) -> None:
        """The outbox gets nothing more."""
        self.listeners.discard(outbox)

    def publish(self, change: VenueChange) -> None:
        """Hands the change's updates to whoever listens."""
        if self._loop is not None and self.listeners and (updates := trade_updates(change)):
            self._loop.call_soon_threadsafe(self._deliver, updates)

    def _deliver(self, updates: Sequence[TradeUpdateBody]) -> None:
        for update in updates:
            for outbox in self.listeners:
                outbox.put(StreamMessage(stream=TRADE_UPDATES, data=update))
