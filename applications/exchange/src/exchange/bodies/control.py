"""The control API's answers."""

from exchange.bodies.alpaca_activities import activity_id
from exchange.bodies.alpaca_moments import wire_moment
from exchange.bodies.alpaca_orders import order_body
from exchange.responses.control import FillRecord, OrderRecord, OrderRecords, State
from exchange.services import Exchange
from internal.dates import session_close, session_open
from internal.venue.history import ActivityType, Fill, HistoryRow
from internal.venue.money import plain
from internal.venue.repository import HistoryQuery, OrderQuery


def state_of(exchange: Exchange) -> State:
    """Clock and market."""
    reading = exchange.clock.reading()
    every = exchange.market.sessions()
    left = [day for day in every if session_close(day) > reading.timestamp]
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
        first_session=every[0].isoformat(),
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
