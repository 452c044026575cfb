"""What a fill makes of an order, and the row of history that it leaves."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from internal.venue.history import Fill
from internal.venue.money import ZERO, round_shares
from internal.venue.orders import Order, OrderStatus

NOTIONAL_REST = Decimal("0.001")  # of a notional order's dollars: less than this is left over by rounding


def fill_order(order: Order, quantity: Decimal, price: Decimal, moment: datetime) -> tuple[Order, Fill]:
    """The order after `quantity` of its shares were filled at the price, and the fill."""
    filled = replace(
        order,
        filled_quantity=order.filled_quantity + quantity,
        filled_average_price=average_price(order, quantity, price),
        updated_at=moment,
    )
    done = _is_done(filled, price)
    status = OrderStatus.FILLED if done else OrderStatus.PARTIALLY_FILLED
    fill = Fill(
        order_id=order.id,
        ticker=order.ticker,
        side=order.side,
        quantity=quantity,
        price=price,
        order_status=status,
        cumulative_quantity=filled.filled_quantity,
        leaves_quantity=ZERO if done else round_shares(filled.remaining_at(price), whole=False),
    )
    return replace(filled, status=status, filled_at=moment if done else None), fill


def average_price(order: Order, quantity: Decimal, price: Decimal) -> Decimal:
    """The order's average fill price after one more fill."""
    total = order.filled_quantity + quantity
    return (order.filled_notional + quantity * price) / total if total else ZERO


def _is_done(order: Order, price: Decimal) -> bool:
    """Whether nothing is left to fill; the thousandth of a notional order that rounding may leave is nothing."""
    if order.notional is None:
        return order.quantity is not None and order.filled_quantity >= order.quantity
    return order.remaining_at(price) * price < order.notional * NOTIONAL_REST
