"""The venue's repository in SQLite: every change is one transaction.

Every change of cash is a row of history with its `net_amount`, so that cash = the opening cash + the sum of all rows.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal

from exchange.adapters.database import Database, to_moment, to_text
from exchange.adapters.rows import (
    HISTORY_COLUMNS,
    ORDER_COLUMNS,
    POSITION_COLUMNS,
    history_row,
    history_values,
    kinds_of,
    order_from_row,
    order_values,
    position_from_row,
    position_values,
)
from exchange.events import AUCTIONS, EVENT_TYPES
from exchange.faults import MARKET_KINDS, Fault
from internal.venue.account_settings import AccountSettings
from internal.venue.charges import Sale
from internal.venue.clock import Phase, read_clock
from internal.venue.history import ActivityType, Fill, HistoryRow
from internal.venue.margin_account import MarginAccount, Position
from internal.venue.market_faults import MarketFault, MarketFaultKind
from internal.venue.money import decimal_of
from internal.venue.orders import OPEN_STATUSES, Order, Side
from internal.venue.repository import HistoryQuery, OrderQuery
from internal.venue.state import AccountIdentity, SessionEvent, VenueChange, VenueState


def _upsert(table: str, columns: Sequence[str]) -> str:
    changes = ", ".join(f"{column} = excluded.{column}" for column in columns[1:])
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))}) "  # noqa: S608 - own names
        f"ON CONFLICT ({columns[0]}) DO UPDATE SET {changes}"
    )


PUT_ORDER = _upsert("orders", ORDER_COLUMNS)
PUT_POSITION = _upsert("positions", POSITION_COLUMNS)
PUT_FACT = _upsert("facts", ("name", "value"))
ADD_ROW = f"INSERT INTO history VALUES ({', '.join('?' * len(HISTORY_COLUMNS))})"  # noqa: S608 - column count only
OPEN = ", ".join(f"'{status}'" for status in sorted(OPEN_STATUSES))


class SqliteRepository:
    """The stored venue; reads and writes take turns on the database's one connection."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self) -> VenueState | None:
        """The state after the last stored change; None where nothing was ever stored."""
        with self._database.reading() as connection:
            facts = {str(row["name"]): str(row["value"]) for row in connection.execute("SELECT * FROM facts")}
            return _load_state(connection, facts) if "clock" in facts else None

    def store(self, change: VenueChange) -> None:
        """Stores a change in one transaction. Raises UnavailableError when the disk is full; then nothing is stored."""
        with self._database.transaction() as connection:
            connection.executemany(PUT_FACT, _changed_facts(change))
            _store_positions(connection, change)
            connection.executemany(PUT_ORDER, [order_values(order) for order in change.orders])
            connection.executemany(ADD_ROW, [history_values(row) for row in change.history])
            connection.executemany(
                "UPDATE faults SET remaining = remaining - 1 WHERE id = ?", [(number,) for number in change.used_faults]
            )
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
        where = _Conditions()
        if query.is_open is not None:
            where.add(f"status {'IN' if query.is_open else 'NOT IN'} ({OPEN})")
        where.add_if("submitted_at > ?", to_text(query.after))
        where.add_if("submitted_at < ?", to_text(query.until))
        where.add_if("side = ?", query.side)
        where.add_any("ticker", query.tickers)
        return [order_from_row(row) for row in self._select("orders", where, query.limit, newest=query.newest_first)]

    def find_history(self, query: HistoryQuery) -> list[HistoryRow]:
        """Rows of the account's history in the order of their events."""
        where = _Conditions()
        where.add_any("kind", None if query.types is None else kinds_of(query.types))
        where.add_if("session = ?", None if query.session is None else query.session.isoformat())
        where.add_if("timestamp > ?", to_text(query.after))
        where.add_if("timestamp < ?", to_text(query.until))
        where.add_if("sequence < ?" if query.newest_first else "sequence > ?", query.beyond)
        return [history_row(row) for row in self._select("history", where, query.limit, newest=query.newest_first)]

    def _select(self, table: str, where: "_Conditions", limit: int | None, *, newest: bool) -> list[sqlite3.Row]:
        statement = (
            f"SELECT * FROM {table} WHERE {where.text} "  # noqa: S608 - own names and placeholders
            f"ORDER BY sequence {'DESC' if newest else 'ASC'} LIMIT ?"
        )
        with self._database.reading() as connection:
            return connection.execute(statement, [*where.values, -1 if limit is None else limit]).fetchall()

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


class _Conditions:
    """The parts of a WHERE clause with the values of their placeholders."""

    def __init__(self) -> None:
        self._parts = ["1"]
        self.values: list[str | int] = []

    @property
    def text(self) -> str:
        """All parts joined."""
        return " AND ".join(self._parts)

    def add(self, part: str, *values: str | int) -> None:
        """A condition with the values of its placeholders."""
        self._parts.append(part)
        self.values.extend(values)

    def add_if(self, part: str, value: str | int | None) -> None:
        """A condition on one value, unless that is None."""
        if value is not None:
            self.add(part, value)

    def add_any(self, column: str, values: Iterable[str] | None) -> None:
        """The column has one of the values, unless that is None."""
        if values is not None:
            given = sorted(values)
            self.add(f"{column} IN ({', '.join('?' * len(given))})", *given)


def _changed_facts(change: VenueChange) -> list[tuple[str, str]]:
    before = {} if change.before is None else _facts(change.before)
    return [(name, value) for name, value in _facts(change.after).items() if before.get(name) != value]


def _facts(state: VenueState) -> dict[str, str]:
    """The named values that hold the state's single numbers and settings."""
    identity, account = state.identity, state.account
    return {
        "market": identity.market,
        "account_id": identity.account_id,
        "created_at": identity.created_at.isoformat(),
        "opening_cash": str(identity.opening_cash),
        "clock": state.moment.isoformat(timespec="microseconds"),
        "cash": format(account.cash, "f"),
        "last_equity": format(account.last_equity, "f"),
        "last_maintenance_margin": format(account.last_maintenance_margin, "f"),
        "configurations": json.dumps(asdict(state.settings)),
    }


def _store_positions(connection: sqlite3.Connection, change: VenueChange) -> None:
    before: Mapping[str, Position] = {} if change.before is None else change.before.account.positions
    after = change.after.account.positions
    if before is after:
        return
    connection.executemany("DELETE FROM positions WHERE ticker = ?", [(name,) for name in before if name not in after])
    changed = [held for name, held in after.items() if before.get(name) != held]
    connection.executemany(PUT_POSITION, [position_values(held) for held in changed])


def _load_state(connection: sqlite3.Connection, facts: dict[str, str]) -> VenueState:
    orders = [order_from_row(row) for row in connection.execute(f"SELECT * FROM orders WHERE status IN ({OPEN})")]  # noqa: S608 - own names
    newest: sqlite3.Row | None = connection.execute(
        "SELECT sequence, submitted_at FROM orders ORDER BY sequence DESC LIMIT 1"
    ).fetchone()
    moment = to_moment(facts["clock"])
    return VenueState(
        identity=AccountIdentity(
            facts["account_id"], facts["market"], to_moment(facts["created_at"]), Decimal(facts["opening_cash"])
        ),
        moment=moment,
        account=_load_account(connection, facts),
        settings=AccountSettings(**json.loads(facts.get("configurations", "{}"))),
        open_orders={order.sequence: order for order in sorted(orders, key=lambda order: order.sequence)},
        last_order=0 if newest is None else int(newest["sequence"]),
        last_submitted_at=None if newest is None else to_moment(newest["submitted_at"]),
        last_row=int(connection.execute("SELECT COALESCE(MAX(sequence), 0) FROM history").fetchone()[0]),
        session_sales=_load_session_sales(connection, moment),
    )


def _load_account(connection: sqlite3.Connection, facts: dict[str, str]) -> MarginAccount:
    positions = [position_from_row(row) for row in connection.execute("SELECT * FROM positions ORDER BY ticker")]
    return MarginAccount(
        Decimal(facts["cash"]),
        Decimal(facts["last_equity"]),
        Decimal(facts["last_maintenance_margin"]),
        {position.ticker: position for position in positions},
    )


def _load_session_sales(connection: sqlite3.Connection, moment: datetime) -> tuple[Sale, ...]:
    """The sell fills of the session that is open at the moment."""
    reading = read_clock(moment)
    if reading.phase is not Phase.OPEN:
        return ()
    query = "SELECT * FROM history WHERE session = ? AND kind = ? AND side = ? ORDER BY sequence"
    rows = connection.execute(query, (reading.session.isoformat(), ActivityType.FILL, Side.SELL))
    entries = (history_row(row).entry for row in rows)
    return tuple(Sale(entry.quantity, entry.price) for entry in entries if isinstance(entry, Fill))
