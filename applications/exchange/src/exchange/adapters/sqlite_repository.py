"""The venue's repository in SQLite: every change is one transaction.

Every change of cash is a row of history with its `net_amount`, so that cash = the opening cash + the sum of all rows.
"""

import sqlite3
from datetime import date
from decimal import Decimal

from exchange.adapters.conditions import Conditions
from exchange.adapters.database import Database, to_moment, to_text
from exchange.adapters.rows import (
    HISTORY_COLUMNS,
    ORDER_COLUMNS,
    history_row,
    history_values,
    kinds_of,
    order_from_row,
    order_values,
)
from exchange.adapters.stored_state import OPEN, changed_facts, load_state, store_positions, upsert
from exchange.events import AUCTIONS, EVENT_TYPES
from exchange.faults import MARKET_KINDS, Fault
from internal.venue.history import HistoryRow
from internal.venue.market_faults import MarketFault, MarketFaultKind
from internal.venue.money import decimal_of
from internal.venue.orders import Order
from internal.venue.repository import HistoryQuery, OrderQuery
from internal.venue.state import EquityPoint, SessionEvent, VenueChange, VenueState

PUT_ORDER = upsert("orders", ORDER_COLUMNS)
PUT_EQUITY = upsert("equity", ("moment", "equity"))
PUT_FACT = upsert("facts", ("name", "value"))
ADD_ROW = f"INSERT INTO history VALUES ({', '.join('?' * len(HISTORY_COLUMNS))})"  # noqa: S608 - column count only


class SqliteRepository:
    """The stored venue; reads and writes take turns on the database's one connection."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self) -> VenueState | None:
        """The state after the last stored change; None where nothing was ever stored."""
        with self._database.reading() as connection:
            facts = {str(row["name"]): str(row["value"]) for row in connection.execute("SELECT * FROM facts")}
            return load_state(connection, facts) if "clock" in facts else None

    def store(self, change: VenueChange) -> None:
        """Stores a change in one transaction. Raises UnavailableError when the disk is full; then nothing is stored."""
        with self._database.transaction() as connection:
            connection.executemany(PUT_FACT, changed_facts(change))
            store_positions(connection, change)
            connection.executemany(PUT_ORDER, [order_values(order) for order in change.orders])
            connection.executemany(ADD_ROW, [history_values(row) for row in change.history])
            connection.executemany(
                "UPDATE faults SET remaining = remaining - 1 WHERE id = ?", [(number,) for number in change.used_faults]
            )
            if (point := change.equity_point) is not None:
                connection.execute(PUT_EQUITY, (to_text(point.moment), to_text(point.equity)))
            if change.event is not None:
                connection.execute(
                    "INSERT INTO session_events (type, session) VALUES (?, ?)",
                    (EVENT_TYPES[change.event.auction], change.event.session.isoformat()),
                )

    def order(self, order_id: str) -> Order | None:
        """One order by the exchange's id."""
        return self._one_order("SELECT * FROM orders WHERE id = ?", order_id)

    def order_by_client_id(self, client_order_id: str) -> Order | None:
        """One order by the client's id."""
        return self._one_order("SELECT * FROM orders WHERE client_order_id = ?", client_order_id)

    def _one_order(self, query: str, key: str) -> Order | None:
        with self._database.reading() as connection:
            row: sqlite3.Row | None = connection.execute(query, (key,)).fetchone()
            return None if row is None else order_from_row(row)

    def find_orders(self, query: OrderQuery) -> list[Order]:
        """Orders in the order of their acceptance."""
        where = Conditions()
        if query.is_open is not None:
            where.add(f"status {'IN' if query.is_open else 'NOT IN'} ({OPEN})")
        where.add_if("submitted_at > ?", to_text(query.after))
        where.add_if("submitted_at < ?", to_text(query.until))
        where.add_if("side = ?", query.side)
        where.add_any("ticker", query.tickers)
        where.add_any("parent_id", query.parents)
        where.add_if("sequence < ?", query.before)
        where.add_if("sequence > ?", query.beyond)
        return [order_from_row(row) for row in self._select("orders", where, query.limit, newest=query.newest_first)]

    def find_history(self, query: HistoryQuery) -> list[HistoryRow]:
        """Rows of the account's history in the order of their events."""
        where = Conditions()
        where.add_any("kind", None if query.types is None else kinds_of(query.types))
        where.add_if("session = ?", None if query.session is None else query.session.isoformat())
        where.add_if("timestamp > ?", to_text(query.after))
        where.add_if("timestamp < ?", to_text(query.until))
        where.add_if("sequence < ?" if query.newest_first else "sequence > ?", query.beyond)
        return [history_row(row) for row in self._select("history", where, query.limit, newest=query.newest_first)]

    def _select(self, table: str, where: Conditions, limit: int | None, *, newest: bool) -> list[sqlite3.Row]:
        statement = (
            f"SELECT * FROM {table} WHERE {where.text} "  # noqa: S608 - own names and placeholders
            f"ORDER BY sequence {'DESC' if newest else 'ASC'} LIMIT ?"
        )
        with self._database.reading() as connection:
            return connection.execute(statement, [*where.values, -1 if limit is None else limit]).fetchall()

    def equity_points(self) -> list[EquityPoint]:
        """The account's equity at its opening and after every open and close, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT * FROM equity ORDER BY moment").fetchall()
        return [EquityPoint(to_moment(row["moment"]), Decimal(row["equity"])) for row in rows]

    def market_faults(self) -> list[MarketFault]:
        """The market's faults that still strike, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT * FROM faults WHERE remaining > 0 ORDER BY id").fetchall()
        found = [(int(row["id"]), Fault.model_validate_json(row["body"]), int(row["remaining"])) for row in rows]
        return [
            MarketFault(
                number,
                MarketFaultKind(fault.kind),
                fault.ticker,
                remaining,
                None if fault.share is None else decimal_of(fault.share),
            )
            for number, fault, remaining in found
            if fault.kind in MARKET_KINDS
        ]

    def unsent_events(self) -> list[tuple[int, SessionEvent]]:
        """Every event that was not marked as sent, with its number, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT * FROM session_events WHERE published = 0 ORDER BY sequence").fetchall()
        return [
            (int(row["sequence"]), SessionEvent(AUCTIONS[row["type"]], date.fromisoformat(row["session"])))
            for row in rows
        ]

    def mark_event_sent(self, number: int) -> None:
        """Records that the event is in the durable outbox."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE session_events SET published = 1 WHERE sequence = ?", (number,))
