"""Injected faults and vendors' statements in SQLite; each use of a fault is durable before the fault strikes."""

import sqlite3
from fnmatch import fnmatchcase

from exchange.adapters.database import Database
from exchange.faults import MARKET_KINDS, Fault, StoredFault
from exchange.statements import Statement


class SqliteFaultRepository:
    """The stored faults of requests and of the market."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_fault(self, fault: Fault) -> StoredFault:
        """Stores a fault."""
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "INSERT INTO faults (body, remaining) VALUES (?, ?)", (fault.model_dump_json(), fault.count)
            )
            return StoredFault(**fault.model_dump(), id=cursor.lastrowid or 0, remaining=fault.count)

    def list_faults(self) -> list[StoredFault]:
        """Every fault, used-up ones included, oldest first."""
        with self._database.reading() as connection:
            return [_stored(row) for row in connection.execute("SELECT * FROM faults ORDER BY id")]

    def clear_faults(self) -> None:
        """Deletes every fault and statement."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM faults")
            connection.execute("DELETE FROM statements")

    def add_statement(self, statement: Statement) -> None:
        """Stores how the vendor states a corporate action."""
        with self._database.transaction() as connection:
            connection.execute("INSERT INTO statements (body) VALUES (?)", (statement.model_dump_json(),))

    def list_statements(self) -> list[Statement]:
        """Every statement, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT body FROM statements ORDER BY id").fetchall()
        return [Statement.model_validate_json(row["body"]) for row in rows]

    def take_request_fault(self, method: str, path: str) -> Fault | None:
        """The oldest fault that strikes this request, used up by one; None when the request goes through."""
        with self._database.transaction() as connection:
            rows = connection.execute("SELECT * FROM faults WHERE remaining > 0 ORDER BY id").fetchall()
            for fault in map(_stored, rows):
                if _strikes(fault, method, path):
                    connection.execute("UPDATE faults SET remaining = remaining - 1 WHERE id = ?", (fault.id,))
                    return fault
        return None


def _strikes(fault: Fault, method: str, path: str) -> bool:
    return fault.kind not in MARKET_KINDS and fault.method in {None, method} and fnmatchcase(path, fault.path)


def _stored(row: sqlite3.Row) -> StoredFault:
    fault = Fault.model_validate_json(row["body"])
    return StoredFault(**fault.model_dump(), id=row["id"], remaining=row["remaining"])
