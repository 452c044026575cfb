"""Alpaca's orders, with all keys and types of the real answers."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from exchange.bodies.alpaca_moments import optional_moment, optional_number, wire_moment
from exchange.responses.alpaca import OrderBody
from internal.dates import next_session, session_close, session_open
from internal.venue.clock import NEW_YORK
from internal.venue.identity import asset_id
from internal.venue.money import plain
from internal.venue.orders import Order, OrderClass, OrderStatus, TimeInForce

GOOD_TILL_CANCELED = timedelta(days=90)


def new_order_body(order: Order, legs: Sequence[Order] = ()) -> OrderBody:
    """The answer to an order's request, which Alpaca gives before the order is acknowledged: `pending_new`."""
    return order_body(order, legs).model_copy(update={"status": str(OrderStatus.PENDING_NEW)})


def order_body(order: Order, legs: Sequence[Order] = ()) -> OrderBody:
    """One order in its present state, with the exits that were sent with it where the client asks for them."""
    return OrderBody(
        id=order.id,
        client_order_id=order.client_order_id,
        created_at=wire_moment(order.submitted_at),
        updated_at=wire_moment(order.updated_at),
        submitted_at=wire_moment(order.submitted_at),
        filled_at=optional_moment(order.filled_at),
        expired_at=optional_moment(order.expired_at),
        canceled_at=optional_moment(order.canceled_at),
        failed_at=optional_moment(order.failed_at),
        replaced_at=optional_moment(order.replaced_at),
        replaced_by=order.replaced_by,
        replaces=order.replaces,
        asset_id=asset_id(order.security_id or order.ticker),
        symbol=order.ticker,
        notional=optional_number(order.notional),
        qty=optional_number(order.quantity),
        filled_qty=plain(order.filled_quantity),
        filled_avg_price=optional_number(order.filled_average_price),
        order_class="" if order.order_class is OrderClass.SIMPLE else str(order.order_class),
        order_type=str(order.type),
        type=str(order.type),
        side=str(order.side),
        position_intent=str(order.position_intent),
        time_in_force=str(order.time_in_force),
        limit_price=optional_number(order.limit_price),
        stop_price=optional_number(order.stop_price),
        status=str(order.status),
        extended_hours=order.extended_hours,
        legs=[order_body(leg) for leg in legs] or None,
        trail_percent=optional_number(order.trail_percent),
        trail_price=optional_number(order.trail_price),
        hwm=optional_number(order.high_water_mark),
        expires_at=wire_moment(expiry(order)),
    )


def expiry(order: Order) -> datetime:
    """When the order ends by itself: at the close of the session that it works in; good-till-canceled after 90 days."""
    local = order.submitted_at.astimezone(NEW_YORK).date()
    session = next_session(local - timedelta(days=1))
    session = session if order.submitted_at < session_close(session) else next_session(session)
    if order.time_in_force is TimeInForce.GTC:
        return session_close(session) + GOOD_TILL_CANCELED
    return session_open(session) if order.time_in_force is TimeInForce.OPG else session_close(session)
