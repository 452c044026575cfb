"""Handling of received events: each by the handler of its type, in order, until it succeeds or is parked.

A handler may get an event twice, after a kill between its end and the record of it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import override

import structlog
from cloudevents.core.v1.event import CloudEvent
from polars.exceptions import PanicException

from internal.cloud_events.event import decode_event
from internal.cloud_events.outbox import FAILED_ATTEMPTS
from internal.cloud_events.responses import HANDLED, IGNORED
from internal.cloud_events.store import EventStore, Pending
from internal.cloud_events.worker import AttemptFailedError, Worker
from internal.errors import FundError, InvalidRequestError
from internal.telemetry import get_logger

INVALID_ATTEMPTS = 30  # some four minutes: a clock may be a little behind
MOST_ATTEMPTS = 1000  # two to three hours at the longest wait between attempts

type Handler = Callable[[CloudEvent], Awaitable[None]]


def allowed_attempts(error: BaseException) -> int:
    """After how many failures an event is parked, so that later ones are handled.

    A request that is invalid stays so; a data service or a broker may be away for an hour.
    """
    return INVALID_ATTEMPTS if isinstance(error, InvalidRequestError) else MOST_ATTEMPTS


def describe_error(error: BaseException) -> str:
    """The text to store of a failure: the fund's own messages, else only the type, since others may hold a secret."""
    return f"{error.title}: {error.detail}" if isinstance(error, FundError) else type(error).__name__


class HandlingWorker(Worker):
    """The worker on the service's queue of received events."""

    def __init__(
        self,
        store: EventStore,
        handlers: Mapping[str, Handler],
        service: str,
        count: Callable[[], Awaitable[object]],
    ) -> None:
        super().__init__(count)
        self._store = store
        self._handlers = handlers
        self._service = service

    @override
    async def step(self) -> bool:
        """Handle the oldest event."""
        pending = await asyncio.to_thread(self._store.next_received)
        if pending is None:
            return False
        event = decode_event(pending.body)
        handler = self._handlers.get(event.get_type())
        with structlog.contextvars.bound_contextvars(event_id=pending.event_id):
            if handler is not None:
                await self._try(handler, event, pending)
            state = IGNORED if handler is None else HANDLED
            await asyncio.to_thread(self._store.mark_handled, pending.position, state)
            get_logger(__name__).info(f"event_{state}", attempt=pending.attempts + 1)
        return True

    async def _try(self, handler: Handler, event: CloudEvent, pending: Pending) -> None:
        try:
            await handler(event)
        except (Exception, PanicException) as error:
            FAILED_ATTEMPTS.labels(self._service, "inbox").inc()
            get_logger(__name__).exception("event_not_handled", attempt=pending.attempts + 1)
            given_up = pending.attempts + 1 >= allowed_attempts(error)
            mark = self._store.mark_parked if given_up else self._store.mark_handling_failed
            await asyncio.to_thread(mark, pending.position, describe_error(error))
            if given_up:
                get_logger(__name__).error("event_parked", attempt=pending.attempts + 1)
            raise AttemptFailedError from error
