"""The exchange's one SQLite file: its tables, its transactions, and how values are written.

Every change of the exchange is one `transaction()`: after a `kill -9` it is there whole or not at all.
"""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from threading import RLock

from exchange.adapters.migration import add_missing_columns, migrate_activities
from internal.errors import UnavailableError

FILE_NAME = "exchange.sqlite3"

DISK_ERRORS = frozenset(
    {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY}
)

SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS positions (
    ticker TEXT PRIMARY KEY, quantity TEXT NOT NULL, average_entry_price TEXT NOT NULL, mark_price TEXT NOT NULL,
    lastday_price TEXT NOT NULL, intraday_basis TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS orders (
    sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, client_order_id TEXT NOT NULL UNIQUE, ticker TEXT NOT NULL,
    side TEXT NOT NULL, type TEXT NOT NULL, time_in_force TEXT NOT NULL, position_intent TEXT NOT NULL, quantity TEXT,
    notional TEXT, limit_price TEXT, reserve_price TEXT NOT NULL, status TEXT NOT NULL, submitted_at TEXT NOT NULL,
    updated_at TEXT NOT NULL, filled_quantity TEXT NOT NULL, filled_average_price TEXT, filled_at TEXT, expired_at TEXT,
    canceled_at TEXT, replaced_at TEXT, replaced_by TEXT, replaces TEXT, security_id TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS orders_by_status ON orders (status);
CREATE INDEX IF NOT EXISTS orders_by_submission ON orders (submitted_at);
CREATE TABLE IF NOT EXISTS history (
    sequence INTEGER PRIMARY KEY, kind TEXT NOT NULL, session TEXT NOT NULL, timestamp TEXT NOT NULL,
    net_amount TEXT NOT NULL, ticker TEXT, quantity TEXT, price TEXT, order_id TEXT, side TEXT, order_status TEXT,
    cumulative_quantity TEXT, leaves_quantity TEXT, split_from TEXT, split_to TEXT, charged TEXT, nights INTEGER,
    related_ticker TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS history_by_timestamp ON history (timestamp);
CREATE TABLE IF NOT EXISTS equity (moment TEXT PRIMARY KEY, equity TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS watchlists (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, tickers TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS locates (
    id TEXT PRIMARY KEY, ticker TEXT NOT NULL, quantity INTEGER NOT NULL, limit_price TEXT,
    all_or_none INTEGER NOT NULL, created_at TEXT NOT NULL, located_quantity INTEGER NOT NULL, price TEXT,
    rejection_reason TEXT, idempotency_key TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS faults (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL, remaining INTEGER NOT NULL)
STRICT;
CREATE TABLE IF NOT EXISTS statements (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS session_events (
    sequence INTEGER PRIMARY KEY, type TEXT NOT NULL, session TEXT NOT NULL, published INTEGER NOT NULL DEFAULT 0
) STRICT;
"""


class Database:
    """One connection for the whole process, used by one thread at a time; no second process can open the file.

    Raises UnavailableError, with what to do, when the folder or the file cannot be used.
    """

    def __init__(self, state_directory: Path) -> None:
        self._lock = RLock()
        path = state_directory / FILE_NAME
        try:
            state_directory.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, check_same_thread=False, autocommit=True, timeout=1.0)
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.executescript(SCHEMA)
            with self.transaction() as connection:
                add_missing_columns(connection)
                migrate_activities(connection)
        except (OSError, sqlite3.Error) as error:
            raise UnavailableError(
                f"The exchange cannot keep its state in {path}: {error}. When it is locked, another exchange runs on "
                "it; else make the folder writable, free disk space, or set STATE_DIRECTORY to another folder."
            ) from error

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection]:
        """All or nothing: commits at the end, rolls back on any error. UnavailableError when the disk is full."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException as error:
                self._roll_back()
                if isinstance(error, sqlite3.Error) and error.sqlite_errorcode & 0xFF in DISK_ERRORS:
                    raise UnavailableError(
                        f"The exchange could not store the change ({error}); nothing was done. Free disk space, then "
                        "send it again."
                    ) from error
                raise

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    @contextmanager
    def reading(self) -> Generator[sqlite3.Connection]:
        """The connection for reads alone, while nobody writes."""
        with self._lock:
            yield self._connection

    def close(self) -> None:
        """Closes the file; what was committed stays."""
        with self._lock:
            self._connection.close()


def to_text(value: Decimal | datetime | str | None) -> str | None:
    """A value as it is stored: decimals without exponent, moments in UTC to the microsecond."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return None if value is None else str(value)


def to_moment(text: str) -> datetime:
    """A stored moment, UTC."""
    return datetime.fromisoformat(text)
