"""The durable side of events: outbox and inbox in one SQLite file (WAL), fsynced before a caller goes on.

Knows rows and their order. Knows no connection, no handler and no clock but the one it is told.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from cloudevents.core.v1.event import CloudEvent

from internal.cloud_events.event import encode_event
from internal.errors import UnavailableError

FILE_NAME = "events.sqlite3"
BUSY_SECONDS = 10.0
SCHEMA = """
CREATE TABLE IF NOT EXISTS outbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL,
    time TEXT, body BLOB NOT NULL, UNIQUE (source, id));
CREATE TABLE IF NOT EXISTS deliveries (
    position INTEGER NOT NULL REFERENCES outbox (position), subscriber TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending', attempts INTEGER NOT NULL DEFAULT 0, last_error TEXT,
    PRIMARY KEY (position, subscriber));
CREATE TABLE IF NOT EXISTS inbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL,
    time TEXT, body BLOB NOT NULL, state TEXT NOT NULL DEFAULT 'pending', attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT, UNIQUE (source, id));
CREATE INDEX IF NOT EXISTS deliveries_pending ON deliveries (subscriber, position) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS inbox_pending ON inbox (position) WHERE state = 'pending';
"""
INSERT = "INSERT INTO {box} (source, id, type, time, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT (source, id) DO NOTHING"


@dataclass(frozen=True)
class Pending:
    """The oldest event that waits: its place, its id, its body, and how often it failed."""

    position: int
    event_id: str
    body: bytes
    attempts: int


def _row(event: CloudEvent) -> tuple[str, str, str, str | None, bytes]:
    time = event.get_time()
    moment = time.isoformat() if time else None
    return event.get_source(), event.get_id(), event.get_type(), moment, encode_event(event)


class EventStore:
    """The file under a state directory. Blocking: call it from a thread. A full disk raises UnavailableError."""

    def __init__(self, state_directory: Path) -> None:
        self._path = state_directory / FILE_NAME
        self._lock = Lock()
        with self._translate_storage_errors():
            state_directory.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.executescript(SCHEMA)

    def close(self) -> None:
        """Close the file; a call still under way ends first."""
        with self._lock:
            self._connection.close()

    def publish(self, event: CloudEvent, subscribers: Sequence[str]) -> bool:
        """Keep the event and one delivery a subscriber; False when (source, id) is there already."""
        row = _row(event)
        with self._transaction() as connection:
            cursor = connection.execute(INSERT.format(box="outbox"), row)
            if cursor.rowcount == 0:
                return False
            deliveries = [(cursor.lastrowid, subscriber) for subscriber in subscribers]
            connection.executemany("INSERT INTO deliveries (position, subscriber) VALUES (?, ?)", deliveries)
            return True

    def receive(self, event: CloudEvent) -> bool:
        """Keep an event that came in; False when (source, id) is there already."""
        with self._transaction() as connection:
            return connection.execute(INSERT.format(box="inbox"), _row(event)).rowcount == 1

    def next_delivery(self, subscriber: str) -> Pending | None:
        """The oldest event that the subscriber has not taken."""
        return self._first(
            "SELECT o.position, o.id, o.body, d.attempts FROM deliveries d JOIN outbox o USING (position)"
            " WHERE d.subscriber = ? AND d.state = 'pending' ORDER BY o.position LIMIT 1",
            (subscriber,),
        )

    def next_received(self) -> Pending | None:
        """The oldest event that no handler has finished."""
        return self._first(
            "SELECT position, id, body, attempts FROM inbox WHERE state = 'pending' ORDER BY position LIMIT 1", ()
        )

    def mark_delivered(self, position: int, subscriber: str) -> None:
        """The subscriber answered 2xx."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE deliveries SET state = 'delivered', attempts = attempts + 1, last_error = NULL"
                " WHERE position = ? AND subscriber = ?",
                (position, subscriber),
            )

    def mark_delivery_failed(self, position: int, subscriber: str, error: str) -> None:
        """The subscriber did not take it; it stays pending."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE deliveries SET attempts = attempts + 1, last_error = ? WHERE position = ? AND subscriber = ?",
                (error, position, subscriber),
            )

    def mark_handled(self, position: int, state: str) -> None:
        """The event is finished: `handled`, or `ignored` when nobody acts on its type."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE inbox SET state = ?, attempts = attempts + 1, last_error = NULL WHERE position = ?",
                (state, position),
            )

    def mark_handling_failed(self, position: int, error: str) -> None:
        """The handler failed; the event stays pending, and so do those behind it."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE inbox SET attempts = attempts + 1, last_error = ? WHERE position = ?", (error, position)
            )

    def pending(self, subscribers: Sequence[str]) -> tuple[int, int]:
        """How many events wait at one moment: deliveries to these subscribers, and received ones."""
        marks = ", ".join("?" * len(subscribers))
        query = (
            f"SELECT (SELECT count(*) FROM deliveries WHERE state = 'pending' AND subscriber IN ({marks})) AS outgoing,"  # noqa: S608 - question marks only
            " (SELECT count(*) FROM inbox WHERE state = 'pending') AS incoming"
        )
        row = self._select(query, tuple(subscribers))[0]
        return row["outgoing"], row["incoming"]

    def recent(self, count: int) -> dict[str, list[dict[str, Any]]]:
        """The newest events of both boxes at one moment, newest first; the outbox has one entry a subscriber."""
        outgoing = (
            "SELECT o.id, o.type, o.time, coalesce(d.state, 'delivered') AS state, coalesce(d.attempts, 0) AS attempts,"
            " d.last_error, d.subscriber FROM outbox o LEFT JOIN deliveries d USING (position)"
            " ORDER BY o.position DESC LIMIT ?"
        )
        incoming = (
            "SELECT id, type, time, state, attempts, last_error, source FROM inbox ORDER BY position DESC LIMIT ?"
        )
        with self._lock, self._translate_storage_errors():
            return {"outbox": self._rows(outgoing, (count,)), "inbox": self._rows(incoming, (count,))}

    def _first(self, query: str, parameters: tuple[Any, ...]) -> Pending | None:
        rows = self._select(query, parameters)
        return Pending(rows[0]["position"], rows[0]["id"], rows[0]["body"], rows[0]["attempts"]) if rows else None

    def _select(self, query: str, parameters: tuple[Any, ...]) -> list[dict[str, Any]]:
        with self._lock, self._translate_storage_errors():
            return self._rows(query, parameters)

    def _rows(self, query: str, parameters: tuple[Any, ...]) -> list[dict[str, Any]]:
        cursor = self._connection.execute(query, parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._translate_storage_errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # a full disk may have rolled it back already
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _translate_storage_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise UnavailableError(f"the event file {self._path} cannot be used: {error}") from error
