"""How orders, positions and rows of history are written as SQLite rows, and read again."""

import sqlite3
from collections.abc import Iterable
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal

from exchange.adapters.database import to_moment, to_text
from internal.venue.history import ACTIVITY_TYPES, ActivityType, Fill, HistoryRow, Movement, MovementKind
from internal.venue.margin_account import Position
from internal.venue.orders import Order, OrderClass, OrderStatus, OrderType, PositionIntent, Side, TimeInForce

type Value = str | int | None

ORDER_COLUMNS = tuple(field.name for field in fields(Order))
POSITION_COLUMNS = tuple(field.name for field in fields(Position))
HISTORY_COLUMNS = (
    *("sequence", "kind", "session", "timestamp", "net_amount", "ticker", "quantity", "price"),
    *("order_id", "side", "order_status", "cumulative_quantity", "leaves_quantity"),
    *("split_from", "split_to", "charged", "nights", "related_ticker"),
)


def order_values(order: Order) -> list[Value]:
    """The order in the columns of `orders`."""
    return [order.sequence, *(_order_value(getattr(order, column)) for column in ORDER_COLUMNS[1:])]


def _order_value(value: object) -> Value:
    if isinstance(value, bool):
        return int(value)
    return to_text(value if isinstance(value, Decimal | datetime | str) else None)


def order_from_row(row: sqlite3.Row) -> Order:
    """An order as it was stored."""
    return Order(
        sequence=row["sequence"],
        id=row["id"],
        client_order_id=row["client_order_id"],
        ticker=row["ticker"],
        side=Side(row["side"]),
        type=OrderType(row["type"]),
        time_in_force=TimeInForce(row["time_in_force"]),
        position_intent=PositionIntent(row["position_intent"]),
        quantity=_optional_decimal(row["quantity"]),
        notional=_optional_decimal(row["notional"]),
        limit_price=_optional_decimal(row["limit_price"]),
        reserve_price=Decimal(row["reserve_price"]),
        status=OrderStatus(row["status"]),
        submitted_at=to_moment(row["submitted_at"]),
        updated_at=to_moment(row["updated_at"]),
        filled_quantity=Decimal(row["filled_quantity"]),
        filled_average_price=_optional_decimal(row["filled_average_price"]),
        filled_at=_optional_moment(row["filled_at"]),
        expired_at=_optional_moment(row["expired_at"]),
        canceled_at=_optional_moment(row["canceled_at"]),
        replaced_at=_optional_moment(row["replaced_at"]),
        replaced_by=row["replaced_by"],
        replaces=row["replaces"],
        security_id=row["security_id"],
        order_class=OrderClass(row["order_class"]),
        stop_price=_optional_decimal(row["stop_price"]),
        trail_price=_optional_decimal(row["trail_price"]),
        trail_percent=_optional_decimal(row["trail_percent"]),
        high_water_mark=_optional_decimal(row["high_water_mark"]),
        triggered_at=_optional_moment(row["triggered_at"]),
        parent_id=row["parent_id"],
        is_waiting=bool(row["is_waiting"]),
        extended_hours=bool(row["extended_hours"]),
        failed_at=_optional_moment(row["failed_at"]),
    )


def position_values(position: Position) -> list[Value]:
    """The position in the columns of `positions`."""
    return [to_text(getattr(position, column)) for column in POSITION_COLUMNS]


def position_from_row(row: sqlite3.Row) -> Position:
    """A position as it was stored."""
    return Position(row["ticker"], *(Decimal(row[column]) for column in POSITION_COLUMNS[1:]))


def kinds_of(types: Iterable[ActivityType]) -> set[str]:
    """The values of the column `kind` that belong to Alpaca's types of activity."""
    wanted = set(types)
    movements = {str(kind) for kind, activity_type in ACTIVITY_TYPES.items() if activity_type in wanted}
    return movements | ({str(ActivityType.FILL)} & wanted)


def history_values(row: HistoryRow) -> list[Value]:
    """The row in the columns of `history`."""
    entry = row.entry
    kind = entry.kind if isinstance(entry, Movement) else ActivityType.FILL
    common = [row.sequence, str(kind), row.session.isoformat(), to_text(row.moment), to_text(entry.net_amount)]
    shares = [entry.ticker, to_text(entry.quantity), to_text(entry.price)]
    return [*common, *shares, *(_fill_values(entry) if isinstance(entry, Fill) else _movement_values(entry))]


def _fill_values(fill: Fill) -> list[Value]:
    own = [fill.order_id, str(fill.side), str(fill.order_status)]
    return [*own, to_text(fill.cumulative_quantity), to_text(fill.leaves_quantity), *[None] * 5]


def _movement_values(movement: Movement) -> list[Value]:
    terms = [to_text(movement.split_from), to_text(movement.split_to), to_text(movement.charged)]
    return [None, None, None, None, None, *terms, movement.nights, movement.related_ticker]


def history_row(row: sqlite3.Row) -> HistoryRow:
    """A row of history as it was stored."""
    entry = _fill(row) if row["kind"] == ActivityType.FILL else _movement(row)
    return HistoryRow(row["sequence"], date.fromisoformat(row["session"]), to_moment(row["timestamp"]), entry)


def _fill(row: sqlite3.Row) -> Fill:
    return Fill(
        order_id=row["order_id"],
        ticker=row["ticker"],
        side=Side(row["side"]),
        quantity=Decimal(row["quantity"]),
        price=Decimal(row["price"]),
        order_status=OrderStatus(row["order_status"]),
        cumulative_quantity=Decimal(row["cumulative_quantity"]),
        leaves_quantity=Decimal(row["leaves_quantity"]),
    )


def _movement(row: sqlite3.Row) -> Movement:
    return Movement(
        kind=MovementKind(row["kind"]),
        ticker=row["ticker"],
        net_amount=Decimal(row["net_amount"]),
        quantity=_optional_decimal(row["quantity"]),
        price=_optional_decimal(row["price"]),
        split_from=_optional_decimal(row["split_from"]),
        split_to=_optional_decimal(row["split_to"]),
        charged=_optional_decimal(row["charged"]),
        nights=row["nights"],
        related_ticker=row["related_ticker"],
    )


def _optional_decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _optional_moment(text: str | None) -> datetime | None:
    return None if text is None else to_moment(text)
