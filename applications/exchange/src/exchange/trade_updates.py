"""What the venue's changes are on Alpaca's `trade_updates` stream: one update for each thing that happened to an order.

https://docs.alpaca.markets/docs/websocket-streaming
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid5

from exchange.bodies.alpaca_moments import wire_moment
from exchange.bodies.alpaca_orders import order_body
from exchange.responses.alpaca_stream import TradeUpdateBody
from internal.venue.history import Fill, HistoryRow
from internal.venue.money import plain
from internal.venue.orders import Order, OrderStatus
from internal.venue.state import VenueChange

ENDINGS = {
    OrderStatus.CANCELED: "canceled",
    OrderStatus.EXPIRED: "expired",
    OrderStatus.REPLACED: "replaced",
    OrderStatus.REJECTED: "rejected",
}


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """Something that happened to an order, with the order right after it."""

    name: str
    order: Order
    moment: datetime
    fill: HistoryRow | None = None


def trade_updates(change: VenueChange) -> list[TradeUpdateBody]:
    """The updates that a change makes, in the order in which its orders changed."""
    account, positions = UUID(change.after.identity.account_id), positions_after_fills(change)
    return [_update_body(account, event, positions) for event in order_events(change)]


def order_events(change: VenueChange) -> Iterator[OrderEvent]:
    """Every event of every order that the change touched."""
    before: Mapping[int, Order] = {} if change.before is None else change.before.open_orders
    fills = {row.entry.order_id: row for row in change.history if isinstance(row.entry, Fill)}
    for order in change.orders:
        previous = before.get(order.sequence)
        if previous is None:
            yield OrderEvent("pending_new", replace(order, status=OrderStatus.PENDING_NEW), order.submitted_at)
            yield OrderEvent(str(order.status), order, order.submitted_at)
        else:
            yield from _changes_of(previous, order, fills.get(order.id))


def _changes_of(previous: Order, order: Order, fill: HistoryRow | None) -> Iterator[OrderEvent]:
    moment = order.updated_at
    worked = fill is not None or order.status is OrderStatus.NEW
    if worked and previous.status in {OrderStatus.ACCEPTED, OrderStatus.HELD}:
        yield OrderEvent("new", replace(previous, status=OrderStatus.NEW, updated_at=moment), moment)
    if fill is not None and isinstance(fill.entry, Fill):
        filled = replace(order, status=fill.entry.order_status, canceled_at=None, expired_at=None)
        name = "fill" if fill.entry.order_status is OrderStatus.FILLED else "partial_fill"
        yield OrderEvent(name, filled, fill.moment, fill)
    if order.status in ENDINGS:
        yield OrderEvent(ENDINGS[order.status], order, moment)


def positions_after_fills(change: VenueChange) -> dict[int, Decimal]:
    """Shares of the ticker held right after each fill, by the fill's number in the history."""
    held: dict[str, Decimal] = {}
    found: dict[int, Decimal] = {}
    for row in reversed(change.history):
        if isinstance(row.entry, Fill):
            fill = row.entry
            found[row.sequence] = held.get(fill.ticker, change.after.account.quantity_of(fill.ticker))
            held[fill.ticker] = found[row.sequence] - fill.side.sign * fill.quantity
    return found


def _update_body(account: UUID, event: OrderEvent, positions: dict[int, Decimal]) -> TradeUpdateBody:
    row = event.fill
    fill = row.entry if row is not None and isinstance(row.entry, Fill) else None
    return TradeUpdateBody(
        event=event.name,
        execution_id=str(uuid5(account, f"execution:{event.order.sequence}:{event.name}:{row.sequence if row else 0}")),
        order=order_body(event.order),
        timestamp=wire_moment(event.moment),
        position_qty=None if row is None else plain(positions[row.sequence]),
        price=None if fill is None else plain(fill.price),
        qty=None if fill is None else plain(fill.quantity),
    )
