"""The event bus of one service: publishes events to its subscribers and handles the events that it receives."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from threading import Lock
from typing import Self

import httpx
from cloudevents.core.v1.event import CloudEvent
from fastapi import APIRouter, FastAPI
from prometheus_client import Gauge
from pydantic import SecretStr

from internal.cloud_events.event import event_date
from internal.cloud_events.inbox import Handler, HandlingWorker
from internal.cloud_events.outbox import DeliveryWorker, event_address
from internal.cloud_events.responses import RecentEvents
from internal.cloud_events.routes import EventRoutes
from internal.cloud_events.store import EventStore
from internal.cloud_events.worker import cancel_task
from internal.dates import require_covered
from internal.errors import ConfigurationError, UnavailableError
from internal.http.authorities import trusted_authorities
from internal.http.bearer import bearer_headers

DELIVERY_SECONDS = 10.0
FAILING_ATTEMPTS = 3  # a handler that failed so often needs a person
SHOWN_EVENTS = 100
IDLE_POLL_SECONDS = 0.02

PENDING = Gauge("events_pending", "Events that wait to be delivered or handled", ("service", "box"))
PARKED = Gauge("events_parked", "Events that were given up and wait for a person", ("service", "box"))


class EventBus:
    """Durable events of one service, in `<state_directory>/events.sqlite3`.

    The constructor opens nothing; run the bus with `async with bus: ...`.

    Args:
        state_directory: The folder of the events file.
        source: The service's own event source, such as `/datamanager`.
        subscribers: URLs that receive every published event; one without a path means `/events`.
        handlers: By event type. Each is idempotent, because an event may be handled twice around a kill.
        token: The bearer token that is sent to subscribers.
    """

    def __init__(
        self,
        state_directory: Path,
        source: str,
        subscribers: Sequence[str],
        handlers: Mapping[str, Handler],
        *,
        token: SecretStr | None = None,
    ) -> None:
        self._state_directory = state_directory
        self._service = source.strip("/")
        self._subscribers = list(dict.fromkeys(event_address(subscriber) for subscriber in subscribers))
        self._handlers = handlers
        self._token = token.get_secret_value() if token else ""
        self._opened: EventStore | None = None
        self._deliveries: list[DeliveryWorker] = []
        self._handling: HandlingWorker | None = None
        self._counting = Lock()
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open the file, and continue the deliveries and the handling that the last run left unfinished."""
        async with AsyncExitStack() as stack:
            store = await asyncio.to_thread(EventStore, self._state_directory)
            stack.push_async_callback(asyncio.to_thread, store.close)
            client = await stack.enter_async_context(self._client())
            self._opened = store
            self._deliveries = [
                DeliveryWorker(store, address, client, self._service, self._count) for address in self._subscribers
            ]
            self._handling = HandlingWorker(store, self._handlers, self._service, self._count)
            for worker in (*self._deliveries, self._handling):
                stack.push_async_callback(cancel_task, asyncio.create_task(worker.run()))
            await self._count()
            self._running = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop; the next start continues what is unfinished."""
        await self._running.aclose()
        self._opened = None

    async def publish(self, event: CloudEvent) -> bool:
        """Store the event durably and start its delivery; False when it was published before."""
        new = await asyncio.to_thread(self._store.publish, event, self._subscribers)
        for delivery in self._deliveries:
            delivery.wake()
        await self._count()
        return new

    async def receive(self, event: CloudEvent) -> bool:
        """Store a received event once; False when it was received before.

        Raises MalformedEventError when an event of a handled type has no date, InvalidRequestError for a date outside
        the calendar: no handler could ever succeed.
        """
        if event.get_type() in self._handlers:
            require_covered(event_date(event))
        new = await asyncio.to_thread(self._store.receive, event)
        if self._handling is not None:
            self._handling.wake()
        await self._count()
        return new

    async def redeliver(self, event_id: str) -> int:
        """Handle, or deliver, the parked events of that id again; how many there are."""
        found = await asyncio.to_thread(self._store.redeliver, event_id)
        for worker in (*self._deliveries, *([] if self._handling is None else [self._handling])):
            worker.wake()
        await self._count()
        return found

    async def recent(self) -> RecentEvents:
        """The last 100 events of outbox and inbox, newest first."""
        return await asyncio.to_thread(self._store.recent, SHOWN_EVENTS)

    def router(self) -> APIRouter:
        """POST /events and GET /events."""
        return EventRoutes(self).router()

    async def check(self, _application: FastAPI | None = None) -> None:
        """A readiness check: raises UnavailableError while the oldest received event keeps failing.

        A subscriber that is down does not count: it would take this service out of rotation too. It is visible in
        GET /events, `events_pending` and `events_failed_attempts_total`.
        """
        oldest = await asyncio.to_thread(self._store.next_received)
        await self._count()
        if oldest is not None and oldest.attempts >= FAILING_ATTEMPTS:
            raise UnavailableError(
                f"event {oldest.event_id} has failed {oldest.attempts} times and blocks later events; see GET /events"
            )

    async def wait_until_idle(self) -> None:
        """Wait until every event is delivered and handled."""
        while any(await self._count()):  # noqa: ASYNC110 - the queues are rows of a file, which sends no signal
            await asyncio.sleep(IDLE_POLL_SECONDS)

    @property
    def _store(self) -> EventStore:
        if self._opened is None:
            raise UnavailableError("the event bus is not running: use it inside `async with bus:`")
        return self._opened

    async def _count(self) -> tuple[int, int]:
        return await asyncio.to_thread(self._show_pending)

    def _show_pending(self) -> tuple[int, int]:
        with self._counting:  # else figures that were read earlier could be shown later
            outgoing, incoming = self._store.pending(self._subscribers)
            PENDING.labels(self._service, "outbox").set(outgoing)
            PENDING.labels(self._service, "inbox").set(incoming)
            for box, parked in zip(("outbox", "inbox"), self._store.parked(self._subscribers), strict=True):
                PARKED.labels(self._service, box).set(parked)
            return outgoing, incoming

    def _client(self) -> httpx.AsyncClient:
        """For other services only: no proxy of the environment, no redirect that would carry the token elsewhere."""
        headers = bearer_headers(self._token)
        try:
            authorities = trusted_authorities()
            return httpx.AsyncClient(headers=headers, timeout=DELIVERY_SECONDS, trust_env=False, verify=authorities)
        except UnicodeEncodeError:
            raise ConfigurationError("FUND_API_TOKEN holds characters that an HTTP header cannot carry") from None
