"""Locates in SQLite."""

import sqlite3
from decimal import Decimal

from exchange.adapters.database import Database, to_moment, to_text
from exchange.locates import Locate, LocateRequest


class SqliteLocateRepository:
    """The stored locates."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_locates(self) -> list[Locate]:
        """Every locate, newest first."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT * FROM locates ORDER BY created_at DESC, id DESC").fetchall()
        return [_locate(row) for row in rows]

    def add_locate(self, locate: Locate) -> None:
        """Stores a locate."""
        asked = locate.request
        values = [locate.id, asked.ticker, asked.quantity, to_text(asked.limit_price), int(asked.all_or_none)]
        values += [to_text(locate.created_at), locate.located_quantity, to_text(locate.price)]
        values += [locate.rejection_reason, locate.key]
        with self._database.transaction() as connection:
            connection.execute("INSERT INTO locates VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)


def _locate(row: sqlite3.Row) -> Locate:
    return Locate(
        id=row["id"],
        request=LocateRequest(row["ticker"], row["quantity"], _decimal(row["limit_price"]), bool(row["all_or_none"])),
        created_at=to_moment(row["created_at"]),
        located_quantity=row["located_quantity"],
        price=_decimal(row["price"]),
        rejection_reason=row["rejection_reason"],
        key=row["idempotency_key"],
    )


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
