"""The control API's answers."""

from typing import Literal

from pydantic import BaseModel

from exchange.responses.alpaca_activities import activity_id
from exchange.responses.alpaca_moments import wire_moment
from exchange.responses.alpaca_orders import OrderBody, order_body
from exchange.services import Exchange
from internal.dates import session_close, session_open
from internal.venue.history import ActivityType, Fill, HistoryRow
from internal.venue.money import plain
from internal.venue.repository import HistoryQuery, OrderQuery


class State(BaseModel):
    """The exchange's clock and market; `sessions_left` counts the sessions whose close is still to come."""

    timestamp: str
    session: str
    phase: str
    next_session: str | None
    sessions_left: int
    market: Literal["simulated", "replayed"]
    planted_signal: str
    seed: int | None
    tickers: int


class FillRecord(BaseModel):
    """One fill of an order: shares, and dollars a share."""

    id: str
    quantity: str
    price: str
    timestamp: str


class OrderRecord(OrderBody):
    """An order with its number from 1 and its fills, oldest first."""

    sequence: int
    fills: list[FillRecord]


class OrderRecords(BaseModel):
    """Every order that was ever accepted, oldest first."""

    orders: list[OrderRecord]


class EventRecord(BaseModel):
    """One event and the state of its delivery."""

    id: str
    type: str
    time: str
    state: str
    attempts: int
    last_error: str | None
    subscriber: str | None = None
    source: str | None = None


class EventRecords(BaseModel):
    """The last 100 events of both boxes, newest first."""

    outbox: list[EventRecord]
    inbox: list[EventRecord]


def state_of(exchange: Exchange) -> State:
    """Clock and market."""
    reading = exchange.clock.reading()
    left = [day for day in exchange.market.sessions() if session_close(day) > reading.timestamp]
    coming = [day for day in left if session_open(day) > reading.timestamp]
    return State(
        timestamp=wire_moment(reading.timestamp),
        session=reading.session.isoformat(),
        phase=str(reading.phase),
        next_session=coming[0].isoformat() if coming else None,
        sessions_left=len(left),
        market=exchange.market.kind,
        planted_signal=exchange.market.planted_signal,
        seed=exchange.market.seed,
        tickers=sum(listing.is_active(reading.session) for listing in exchange.market.listings(reading.session)),
    )


def order_records(exchange: Exchange) -> OrderRecords:
    """Every order with its fills."""
    account = exchange.core.state.identity.account_id
    fills: dict[str, list[FillRecord]] = {}
    for row in exchange.repository.find_history(HistoryQuery(types=frozenset({ActivityType.FILL}))):
        if isinstance(row.entry, Fill):
            fills.setdefault(row.entry.order_id, []).append(_fill_record(account, row, row.entry))
    orders = exchange.repository.find_orders(OrderQuery())
    return OrderRecords(
        orders=[
            OrderRecord(**order_body(order).model_dump(), sequence=order.sequence, fills=fills.get(order.id, []))
            for order in orders
        ]
    )


def _fill_record(account: str, row: HistoryRow, fill: Fill) -> FillRecord:
    return FillRecord(
        id=activity_id(account, row),
        quantity=plain(fill.quantity),
        price=plain(fill.price),
        timestamp=wire_moment(row.moment),
    )
