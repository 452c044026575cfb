"""Messages on their way: durable, once for each key, in order for each target, again until the target takes them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, Self, cast, override

from cloudevents.core.v1.event import CloudEvent
from prometheus_client import Counter, Gauge

from internal.cloud_events.event import decode_event
from internal.cloud_events.responses import SentEvent
from internal.cloud_events.store import EventStore, Pending
from internal.cloud_events.worker import AttemptFailedError, Worker, cancel_task
from internal.errors import FundError, UnavailableError
from internal.event_types import EventType
from internal.modes import Mode
from internal.telemetry import get_logger
from portfoliomanager.notifications.message import REPORT_KEYS, Notification, NotificationKind
from portfoliomanager.notifications.targets import NotificationTarget

FOLDER = "notifications"  # of the state directory: a file beside that of the events
SHOWN = 100
PATIENT_AFTER = 5  # attempts that failed, after which the next one is an hour later
PATIENT_SECONDS = 3600.0

MADE = Counter("notifications_total", "Messages to the owner", ("kind",))
PENDING = Gauge("notifications_pending", "Messages that a target has not taken yet")
for _kind in NotificationKind:
    MADE.labels(_kind)

logger = get_logger(__name__)


class SentNotification(SentEvent):
    """One message and whether one target took it."""

    title: str


class TargetWorker(Worker):
    """Sends the messages of one target."""

    def __init__(
        self, store: EventStore, target: NotificationTarget, mode: Mode, count: Callable[[], Awaitable[object]]
    ) -> None:
        super().__init__(count)
        self._store, self._target, self._mode = store, target, mode

    @override
    async def step(self) -> bool:
        """Send the oldest message."""
        pending = await asyncio.to_thread(self._store.next_delivery, self._target.name)
        if pending is None:
            return False
        if not await asyncio.to_thread(self._target.send, _read(pending), self._mode.banner):
            await asyncio.to_thread(
                self._store.mark_delivery_failed, pending.position, self._target.name, "the service did not take it"
            )
            logger.warning("notification_not_sent", target=self._target.name, attempt=pending.attempts + 1)
            if pending.attempts + 1 >= PATIENT_AFTER:
                await asyncio.sleep(PATIENT_SECONDS)
            raise AttemptFailedError
        await asyncio.to_thread(self._store.mark_delivered, pending.position, self._target.name)
        return True


class NotificationOutbox:
    """The messages of one portfoliomanager; open it with `async with`.

    Args:
        state_directory: Of the service.
        targets: Where messages go; without any they are only listed.
        mode: Simulated, paper or live: every title says it.
    """

    def __init__(self, state_directory: Path, targets: Sequence[NotificationTarget], mode: Mode) -> None:
        self._directory, self._targets, self._mode = state_directory / FOLDER, targets, mode
        self._opened: EventStore | None = None
        self._workers: list[TargetWorker] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running, self._counting = AsyncExitStack(), Lock()

    async def __aenter__(self) -> Self:
        """Go on with what a former process did not send."""
        async with AsyncExitStack() as stack:
            store = await asyncio.to_thread(EventStore, self._directory)
            stack.push_async_callback(asyncio.to_thread, store.close)
            self._opened, self._loop = store, asyncio.get_running_loop()
            self._workers = [TargetWorker(store, target, self._mode, self._count) for target in self._targets]
            for worker in self._workers:
                stack.push_async_callback(cancel_task, asyncio.create_task(worker.run()))
            self._running = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop; what is not sent goes out after the next start."""
        await self._running.aclose()
        self._opened = None

    def notify(self, notification: Notification) -> bool:
        """Store a message and start sending it, from any thread; False when its key was used before.

        A message that cannot be stored is logged: it never stops what it is about.
        """
        attributes = {
            "id": notification.key,
            "type": EventType.NOTIFICATION_MADE,
            "source": "/portfoliomanager",
            "time": datetime.now(UTC),
            "datacontenttype": "application/json",
        }
        event = CloudEvent(attributes, asdict(notification))
        try:
            new = self._store.publish(event, [target.name for target in self._targets])
        except FundError as error:
            logger.exception("notification_not_stored", key=notification.key, detail=error.detail)
            return False
        if new:
            MADE.labels(notification.kind).inc()
            logger.info("notification", kind=notification.kind, title=notification.title)
            self._wake()
        return new

    async def recent(self) -> list[SentNotification]:
        """The newest messages, one entry a target: whether it took them."""
        entries = (await asyncio.to_thread(self._store.recent, SHOWN)).outbox
        stored = await asyncio.to_thread(self._store.newest, SHOWN)
        titles = {one.event_id: _read(one).title for one in stored}
        return [SentNotification(**one.model_dump(), title=titles.get(one.id, one.id)) for one in entries]

    async def last_report(self) -> Notification | None:
        """The newest daily report, None before the first."""
        found = await asyncio.to_thread(self._store.newest_published, REPORT_KEYS)
        return None if found is None else _read(found)

    async def send_test(self) -> dict[str, bool]:
        """Send a test message to every target at once; whether each took it, by name."""
        test = Notification(NotificationKind.TEST, "test", "Test message", "Messages of the fund reach you here.")
        sent = [asyncio.to_thread(target.send, test, self._mode.banner) for target in self._targets]
        return dict(zip([target.name for target in self._targets], await asyncio.gather(*sent), strict=True))

    @property
    def _store(self) -> EventStore:
        if self._opened is None:
            raise UnavailableError("the messages' file is not open: use it inside `async with`")
        return self._opened

    def _wake(self) -> None:
        if self._loop is not None:
            for worker in self._workers:
                self._loop.call_soon_threadsafe(worker.wake)

    async def _count(self) -> None:
        await asyncio.to_thread(self._show_pending)

    def _show_pending(self) -> None:
        with self._counting:  # else a figure that was read earlier could be shown later
            outgoing, _ = self._store.pending([target.name for target in self._targets])
            PENDING.set(outgoing)


def _read(pending: Pending) -> Notification:
    data = cast("dict[str, Any]", decode_event(pending.body).get_data())
    data["kind"] = NotificationKind(data["kind"])
    return Notification(**data)
