"""Where account, orders and activities are kept: reads and writes inside one transaction.

Knows rows and dataclasses. Knows nothing of rules. Every change of cash is an activity with its `net_amount`, so that
cash = the opening cash + the sum of all activities, always.
"""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal

from exchange.adapters.database import to_moment, to_text
from internal.venue.account_settings import AccountSettings
from internal.venue.margin_account import MarginAccount, Position
from internal.venue.orders import OPEN_STATUSES, Order, OrderStatus, OrderType, PositionIntent, Side, TimeInForce

ORDER_COLUMNS = tuple(field.name for field in fields(Order))
ORDER_DECIMALS = ("quantity", "notional", "limit_price", "reserve_price", "filled_quantity", "filled_average_price")
ORDER_MOMENTS = ("submitted_at", "updated_at", "filled_at", "expired_at", "canceled_at", "replaced_at")
ORDER_ENUMS = {
    "side": Side,
    "type": OrderType,
    "time_in_force": TimeInForce,
    "position_intent": PositionIntent,
    "status": OrderStatus,
}
PUT_ORDER = (
    f"INSERT INTO orders ({', '.join(ORDER_COLUMNS)}) VALUES ({', '.join('?' * len(ORDER_COLUMNS))}) "  # noqa: S608 - own column names
    f"ON CONFLICT (sequence) DO UPDATE SET {', '.join(f'{column} = excluded.{column}' for column in ORDER_COLUMNS[1:])}"
)
POSITION_COLUMNS = tuple(field.name for field in fields(Position))


@dataclass(frozen=True, slots=True)
class Activity:
    """One row of the account's history; `body` is Alpaca's row, `net_amount` what it did to cash in dollars."""

    sequence: int
    id: str
    activity_type: str
    session: date
    timestamp: datetime
    net_amount: Decimal
    order_id: str | None
    body: dict[str, str | None]


class Ledger:
    """The stored exchange as one transaction (or one read) sees it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def fact(self, name: str) -> str | None:
        """One named value, None when it was never set."""
        row = self.connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row["value"])

    def set_fact(self, name: str, value: str) -> None:
        """Stores one named value."""
        self.connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def required_fact(self, name: str) -> str:
        """A value that every initialised exchange has."""
        value = self.fact(name)
        if value is None:
            raise KeyError(name)
        return value

    def clock(self) -> datetime:
        """The stored moment of the exchange's clock, UTC."""
        return to_moment(self.required_fact("clock"))

    def set_clock(self, moment: datetime) -> None:
        """Moves the stored clock."""
        self.set_fact("clock", moment.isoformat(timespec="microseconds"))

    def configurations(self) -> AccountSettings:
        """The account's switches."""
        stored = self.fact("configurations")
        return AccountSettings() if stored is None else AccountSettings.model_validate_json(stored)

    def set_configurations(self, configurations: AccountSettings) -> None:
        """Stores the account's switches."""
        self.set_fact("configurations", configurations.model_dump_json())

    def book(self) -> MarginAccount:
        """Cash and positions."""
        rows = self.connection.execute("SELECT * FROM positions ORDER BY ticker")
        positions = [
            Position(row["ticker"], *(Decimal(row[column]) for column in POSITION_COLUMNS[1:])) for row in rows
        ]
        return MarginAccount(
            Decimal(self.required_fact("cash")),
            Decimal(self.required_fact("last_equity")),
            Decimal(self.required_fact("last_maintenance_margin")),
            {position.ticker: position for position in positions},
        )

    def set_book(self, book: MarginAccount) -> None:
        """Stores cash and positions."""
        for name in ("cash", "last_equity", "last_maintenance_margin"):
            self.set_fact(name, format(getattr(book, name), "f"))
        self.connection.execute("DELETE FROM positions")
        self.connection.executemany(
            f"INSERT INTO positions VALUES ({', '.join('?' * len(POSITION_COLUMNS))})",  # noqa: S608 - column count only
            [[to_text(getattr(held, column)) for column in POSITION_COLUMNS] for held in book.positions.values()],
        )

    def open_orders(self) -> list[Order]:
        """Orders that can still fill, oldest first."""
        marks = ", ".join("?" * len(OPEN_STATUSES))
        query = f"SELECT * FROM orders WHERE status IN ({marks}) ORDER BY sequence"  # noqa: S608 - placeholders only
        return [_order(row) for row in self.connection.execute(query, [str(status) for status in OPEN_STATUSES])]

    def orders(self) -> list[Order]:
        """Every order ever accepted, oldest first."""
        return [_order(row) for row in self.connection.execute("SELECT * FROM orders ORDER BY sequence")]

    def order(self, order_id: str) -> Order | None:
        """One order by the exchange's id."""
        return self._one_order("SELECT * FROM orders WHERE id = ?", order_id)

    def order_by_client_id(self, client_order_id: str) -> Order | None:
        """One order by the client's id."""
        return self._one_order("SELECT * FROM orders WHERE client_order_id = ?", client_order_id)

    def _one_order(self, query: str, key: str) -> Order | None:
        row = self.connection.execute(query, (key,)).fetchone()
        return None if row is None else _order(row)

    def next_order_sequence(self) -> int:
        """The number that the next order gets, from 1."""
        return int(self.connection.execute("SELECT COALESCE(MAX(sequence), 0) + 1 FROM orders").fetchone()[0])

    def last_submitted_at(self) -> datetime | None:
        """When the newest order entered; None before the first."""
        row = self.connection.execute("SELECT submitted_at FROM orders ORDER BY sequence DESC LIMIT 1").fetchone()
        return None if row is None else to_moment(row["submitted_at"])

    def put_order(self, order: Order) -> None:
        """Stores an order, new or changed."""
        values = [order.sequence, *(to_text(getattr(order, column)) for column in ORDER_COLUMNS[1:])]
        self.connection.execute(PUT_ORDER, values)

    def last_activity_sequence(self) -> int:
        """The number of the newest activity, 0 before the first."""
        return int(self.connection.execute("SELECT COALESCE(MAX(sequence), 0) FROM activities").fetchone()[0])

    def add_activities(self, activities: Iterable[Activity]) -> None:
        """Appends to the account's history."""
        self.connection.executemany(
            "INSERT INTO activities VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    activity.sequence,
                    activity.id,
                    activity.activity_type,
                    activity.session.isoformat(),
                    to_text(activity.timestamp),
                    to_text(activity.net_amount),
                    activity.order_id,
                    json.dumps(activity.body),
                )
                for activity in activities
            ],
        )

    def activities(self, *, session: date | None = None, order_id: str | None = None) -> list[Activity]:
        """The account's history, oldest first, of one session or one order or whole."""
        query = "SELECT * FROM activities WHERE (?1 IS NULL OR session = ?1) AND (?2 IS NULL OR order_id = ?2)"
        day = None if session is None else session.isoformat()
        return [_activity(row) for row in self.connection.execute(query + " ORDER BY sequence", (day, order_id))]

    def add_session_event(self, event_type: str, session: date) -> None:
        """Records an event that must be sent, in the same transaction as what it tells of."""
        self.connection.execute(
            "INSERT INTO session_events (type, session) VALUES (?, ?)", (event_type, session.isoformat())
        )

    def unsent_session_events(self) -> list[tuple[int, str, date]]:
        """Sequence, type and session of every event that is not in the outbox yet, oldest first."""
        rows = self.connection.execute("SELECT * FROM session_events WHERE published = 0 ORDER BY sequence")
        return [(row["sequence"], row["type"], date.fromisoformat(row["session"])) for row in rows]

    def mark_session_event_sent(self, sequence: int) -> None:
        """The event lies in the durable outbox."""
        self.connection.execute("UPDATE session_events SET published = 1 WHERE sequence = ?", (sequence,))


def _order(row: sqlite3.Row) -> Order:
    values = dict(row)
    for columns, parse in ((ORDER_DECIMALS, Decimal), (ORDER_MOMENTS, to_moment)):
        values |= {column: None if values[column] is None else parse(values[column]) for column in columns}
    values |= {column: kind(values[column]) for column, kind in ORDER_ENUMS.items()}
    return Order(**values)


def _activity(row: sqlite3.Row) -> Activity:
    return Activity(
        row["sequence"],
        row["id"],
        row["activity_type"],
        date.fromisoformat(row["session"]),
        to_moment(row["timestamp"]),
        Decimal(row["net_amount"]),
        row["order_id"],
        json.loads(row["body"]),
    )
