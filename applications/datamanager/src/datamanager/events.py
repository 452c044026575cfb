"""The events that datamanager acts on and sends.

Knows their types and data. Knows no transport: the bus delivers, and repeats a handler until it succeeds.
"""

from datetime import date

import polars as pl
from cloudevents.core.v1.event import CloudEvent

from datamanager.ingestion import Collected, Ingestion
from internal.cloud_events import EventBus, make_event
from internal.cloud_events.event import event_date
from internal.dates import is_session
from internal.errors import InvalidRequestError
from internal.telemetry import get_logger

SOURCE = "/datamanager"
SESSION_CLOSED = "application.exchange.session.closed"
BARS_SYNCED = "application.datamanager.equity_bars.synced"
logger = get_logger(__name__)


async def on_session_closed(event: CloudEvent, ingestion: Ingestion, bus: EventBus) -> None:
    """Collect the session that closed and say so; a session that is complete already is only announced.

    A day that is no session is the sender's mistake, which no repetition mends: it is logged and left.
    """
    day = event_date(event)
    if not _is_session(day):
        logger.error("event_about_no_session", event_id=event.get_id(), date=str(day))
        return
    collected = await ingestion.collect_session(day, wait=True)
    await announce(bus, day, collected)


async def announce(bus: EventBus, day: date, collected: Collected) -> None:
    """Publish that the session's bars are in the lake. The id is a function of the day: twice is one event."""
    rows = collected.sessions.filter(pl.col("date") == day).get_column("rows").sum()
    data = {"rows": int(rows), "bars_version": collected.bars_version}
    await bus.publish(make_event(BARS_SYNCED, SOURCE, day, data))


def _is_session(day: date) -> bool:
    """Whether the exchange trades on that day; a day that the calendar does not reach is no session either."""
    try:
        return is_session(day)
    except InvalidRequestError:
        return False
