"""From the exchange's own record of events into the durable outbox.

Knows that a recorded event must be sent at least once. Ids are a function of type and session, so that sending one
again after a crash is the same event to everybody.
"""

from datetime import date

from anyio import to_thread

from exchange.database import Database
from exchange.ledger import Ledger
from internal.cloud_events import EventBus, make_event

SOURCE = "/exchange"


async def publish_recorded(database: Database, bus: EventBus) -> None:
    """Hands every recorded, unsent event to the outbox, oldest first."""
    for sequence, event_type, session in await to_thread.run_sync(_unsent, database):
        await bus.publish(make_event(event_type, SOURCE, session, {"date": session.isoformat()}))
        await to_thread.run_sync(_mark, database, sequence)


def _unsent(database: Database) -> list[tuple[int, str, date]]:
    with database.reading() as connection:
        return Ledger(connection).unsent_session_events()


def _mark(database: Database, sequence: int) -> None:
    with database.transaction() as connection:
        Ledger(connection).mark_session_event_sent(sequence)
