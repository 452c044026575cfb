"""The CloudEvents of datamanager: ingest each session that closes, then publish that its bars are stored."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from cloudevents.core.v1.event import CloudEvent
from pydantic import SecretStr

from datamanager.ingestion import Ingestion, IngestionResult
from internal.cloud_events import EventBus, make_event
from internal.cloud_events.event import event_date
from internal.dates import is_session
from internal.errors import InvalidRequestError
from internal.event_types import EventType
from internal.telemetry import get_logger

SOURCE = "/datamanager"
logger = get_logger(__name__)


class SessionEvents:
    """Handles `session.closed` and publishes `equity_bars.synced`, on the event bus that it owns.

    Args:
        ingestion: Ingests the session of an event.
        state_directory: The folder of the bus's file.
        subscribers: The URLs that events are sent to.
        token: The bearer token sent with them.
    """

    def __init__(
        self, ingestion: Ingestion, state_directory: Path, subscribers: Sequence[str], token: SecretStr | None
    ) -> None:
        self._ingestion = ingestion
        self.bus = EventBus(
            state_directory, SOURCE, subscribers, {EventType.SESSION_CLOSED: self.ingest_closed_session}, token=token
        )

    async def ingest_closed_session(self, event: CloudEvent) -> None:
        """Ingest the event's session and publish its bars; a session that is in the lake already is only published.

        A day that is not a session is the sender's error and no retry can succeed: it is logged and dropped.
        """
        day = event_date(event)
        if not _is_session(day):
            logger.error("event_date_is_no_session", event_id=event.get_id(), date=str(day))
            return
        await self.publish_synced(day, await self._ingestion.ingest_session(day, wait=True))

    async def publish_synced(self, day: date, result: IngestionResult) -> None:
        """Publish that the session's bars are in the lake; a second event of the same day has the same id."""
        rows = sum(session.rows for session in result.sessions if session.date == day)
        data = {"rows": rows, "bars_version": result.bars_version}
        await self.bus.publish(make_event(EventType.BARS_SYNCED, SOURCE, day, data))


def _is_session(day: date) -> bool:
    """Whether the exchange trades on that day; False also for a day outside the calendar."""
    try:
        return is_session(day)
    except InvalidRequestError:
        return False
