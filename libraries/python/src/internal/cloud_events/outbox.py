"""Delivery to one subscriber: each event by POST, in order, until it answers 2xx or refuses the event for ever.

Each subscriber has a queue of its own, so that one that is down delays no other.
"""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import NoReturn, override
from urllib.parse import urlsplit, urlunsplit

import httpx
from prometheus_client import Counter

from internal.cloud_events.event import SENT_HEADERS
from internal.cloud_events.store import EventStore, Pending
from internal.cloud_events.worker import AttemptFailedError, Worker
from internal.telemetry import get_logger

REFUSALS = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE}
    | {HTTPStatus.UNPROCESSABLE_ENTITY}
)  # of the event itself; a missing token or address may be set right
REFUSED_ATTEMPTS = 5  # some seconds, after which the event is parked and later ones are delivered

FAILED_ATTEMPTS = Counter(
    "events_failed_attempts_total", "Attempts to deliver or handle an event that failed", ("service", "box")
)


def event_address(subscriber: str) -> str:
    """The address to which a subscriber's events are sent: its URL, with `/events` when it has no path."""
    parts = urlsplit(subscriber)
    return urlunsplit(parts._replace(path="/events")) if parts.path in {"", "/"} else subscriber


class DeliveryWorker(Worker):
    """The worker on the queue of one subscriber. `client` carries the timeout and the token."""

    def __init__(
        self,
        store: EventStore,
        subscriber: str,
        client: httpx.AsyncClient,
        service: str,
        count: Callable[[], Awaitable[object]],
    ) -> None:
        super().__init__(count)
        self._store = store
        self._subscriber = subscriber
        self._client = client
        self._service = service

    @override
    async def step(self) -> bool:
        """Deliver the oldest event."""
        pending = await asyncio.to_thread(self._store.next_delivery, self._subscriber)
        if pending is None:
            return False
        try:
            response = await self._client.post(self._subscriber, content=pending.body, headers=SENT_HEADERS)
        except httpx.HTTPError as error:
            await self._fail(pending, f"not reached: {type(error).__name__}")
        if not response.is_success:
            is_refused = response.status_code in REFUSALS and pending.attempts + 1 >= REFUSED_ATTEMPTS
            await self._fail(pending, f"answered {response.status_code}", is_refused=is_refused)
        await asyncio.to_thread(self._store.mark_delivered, pending.position, self._subscriber)
        return True

    async def _fail(self, pending: Pending, error: str, *, is_refused: bool = False) -> NoReturn:
        FAILED_ATTEMPTS.labels(self._service, "outbox").inc()
        get_logger(__name__).warning(
            "event_not_delivered", event_id=pending.event_id, attempt=pending.attempts + 1, error=error
        )
        mark = self._store.mark_delivery_parked if is_refused else self._store.mark_delivery_failed
        await asyncio.to_thread(mark, pending.position, self._subscriber, error)
        if is_refused:
            get_logger(__name__).error("delivery_parked", event_id=pending.event_id, subscriber=self._subscriber)
        raise AttemptFailedError
