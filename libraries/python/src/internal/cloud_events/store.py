"""Outbox and inbox in one SQLite file (WAL); a write is on disk when it returns."""

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from cloudevents.core.v1.event import CloudEvent

from internal.cloud_events.event import encode_event
from internal.cloud_events.responses import RecentEvents
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
    """The oldest event of a queue: its position, its id, its body, and how often it failed."""

    position: int
    event_id: str
    body: bytes
    attempts: int


def _row(event: CloudEvent) -> tuple[str, str, str, str | None, bytes]:
    time = event.get_time()
    moment = time.isoformat() if time else None
    return event.get_source(), event.get_id(), event.get_type(), moment, encode_event(event)


class EventStore:
    """The events file of a state directory. Calls block: use a thread. A full disk raises UnavailableError."""

    def __init__(self, state_directory: Path) -> None:
        self._path = state_directory / FILE_NAME
        self._lock = Lock()
        with self._translate_errors():
            state_directory.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.executescript(SCHEMA)

    def close(self) -> None:
        """Close the file after the call in progress."""
        with self._lock:
            self._connection.close()

    def publish(self, event: CloudEvent, subscribers: Sequence[str]) -> bool:
        """Store the event and one delivery a subscriber; False when (source, id) is stored already."""
        row = _row(event)
        with self._transaction() as connection:
            cursor = connection.execute(INSERT.format(box="outbox"), row)
            if cursor.rowcount == 0:
                return False
            deliveries = [(cursor.lastrowid, subscriber) for subscriber in subscribers]
            connection.executemany("INSERT INTO deliveries (position, subscriber) VALUES (?, ?)", deliveries)
            return True

    def receive(self, event: CloudEvent) -> bool:
        """Store a received event; False when (source, id) is stored already."""
        with self._transaction() as connection:
            return connection.execute(INSERT.format(box="inbox"), _row(event)).rowcount == 1

    def next_delivery(self, subscriber: str) -> Pending | None:
        """The oldest event that the subscriber has not accepted."""
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
        """Record that the subscriber answered 2xx."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE deliveries SET state = 'delivered', attempts = attempts + 1, last_error = NULL"
                " WHERE position = ? AND subscriber = ?",
                (position, subscriber),
            )

    def mark_delivery_failed(self, position: int, subscriber: str, error: str) -> None:
        """Record that the subscriber did not accept the event; it stays pending."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE deliveries SET attempts = attempts + 1, last_error = ? WHERE position = ? AND subscriber = ?",
                (error, position, subscriber),
            )

    def mark_delivery_parked(self, position: int, subscriber: str, error: str) -> None:
        """Record that the subscriber refuses the event for ever: later ones go on, `redeliver` sends it again."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE deliveries SET state = 'parked', attempts = attempts + 1, last_error = ?"
                " WHERE position = ? AND subscriber = ?",
                (error, position, subscriber),
            )

    def mark_handled(self, position: int, state: str) -> None:
        """Record that the event is finished: `handled`, or `ignored` when its type has no handler."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE inbox SET state = ?, attempts = attempts + 1, last_error = NULL WHERE position = ?",
                (state, position),
            )

    def mark_parked(self, position: int, error: str) -> None:
        """Record that the event is given up: later ones are handled, and `redeliver` handles it again."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE inbox SET state = 'parked', attempts = attempts + 1, last_error = ? WHERE position = ?",
                (error, position),
            )

    def redeliver(self, event_id: str) -> int:
        """Let parked events of that id be handled, or delivered, again, before later ones; how many there are."""
        with self._transaction() as connection:
            received = connection.execute(
                "UPDATE inbox SET state = 'pending', attempts = 0 WHERE id = ? AND state = 'parked'", (event_id,)
            ).rowcount
            sent = connection.execute(
                "UPDATE deliveries SET state = 'pending', attempts = 0 WHERE state = 'parked'"
                " AND position IN (SELECT position FROM outbox WHERE id = ?)",
                (event_id,),
            ).rowcount
            return received + sent

    def mark_handling_failed(self, position: int, error: str) -> None:
        """Record that the handler failed; the event and those after it stay pending."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE inbox SET attempts = attempts + 1, last_error = ? WHERE position = ?", (error, position)
            )

    def pending(self, subscribers: Sequence[str]) -> tuple[int, int]:
        """The numbers of pending deliveries to these subscribers and of pending received events, at one moment."""
        return self._count("pending", subscribers)

    def parked(self, subscribers: Sequence[str]) -> tuple[int, int]:
        """The same of parked ones."""
        return self._count("parked", subscribers)

    def _count(self, state: str, subscribers: Sequence[str]) -> tuple[int, int]:
        marks = ", ".join("?" * len(subscribers))
        query = (
            f"SELECT (SELECT count(*) FROM deliveries WHERE state = ? AND subscriber IN ({marks})) AS outgoing,"  # noqa: S608 - question marks only
            " (SELECT count(*) FROM inbox WHERE state = ?) AS incoming"
        )
        row = self._select(query, (state, *subscribers, state))[0]
        return row["outgoing"], row["incoming"]

    def newest_published(self, id_prefix: str) -> Pending | None:
        """The newest event of the outbox whose id begins so, delivered or not."""
        return self._first(
            "SELECT position, id, body, 0 AS attempts FROM outbox WHERE substr(id, 1, length(?)) = ?"
            " ORDER BY position DESC LIMIT 1",
            (id_prefix, id_prefix),
        )

    def newest(self, count: int) -> list[Pending]:
        """The newest events of the outbox, newest first, delivered or not."""
        query = "SELECT position, id, body, 0 AS attempts FROM outbox ORDER BY position DESC LIMIT ?"
        return [
            Pending(row["position"], row["id"], row["body"], row["attempts"]) for row in self._select(query, (count,))
        ]

    def recent(self, count: int) -> RecentEvents:
        """The newest events of both boxes at one moment, newest first; the outbox has one entry a subscriber."""
        outgoing = (
            "SELECT o.id, o.type, o.time, coalesce(d.state, 'delivered') AS state, coalesce(d.attempts, 0) AS attempts,"
            " d.last_error, d.subscriber FROM outbox o LEFT JOIN deliveries d USING (position)"
            " ORDER BY o.position DESC LIMIT ?"
        )
        incoming = (
            "SELECT id, type, time, state, attempts, last_error, source FROM inbox ORDER BY position DESC LIMIT ?"
        )
        with self._lock, self._translate_errors():
            boxes = {"outbox": self._rows(outgoing, (count,)), "inbox": self._rows(incoming, (count,))}
        return RecentEvents.model_validate(boxes)

    def _first(self, query: str, parameters: tuple[Any, ...]) -> Pending | None:
        rows = self._select(query, parameters)
        return Pending(rows[0]["position"], rows[0]["id"], rows[0]["body"], rows[0]["attempts"]) if rows else None

    def _select(self, query: str, parameters: tuple[Any, ...]) -> list[dict[str, Any]]:
        with self._lock, self._translate_errors():
            return self._rows(query, parameters)

    def _rows(self, query: str, parameters: tuple[Any, ...]) -> list[dict[str, Any]]:
        cursor = self._connection.execute(query, parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        with self._lock, self._translate_errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # a full disk may have rolled it back already
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _translate_errors(self) -> Generator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise UnavailableError(f"the event file {self._path} cannot be used: {error}") from error
