"""What splits and stock dividends do to open orders."""

from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from internal.venue.corporate_actions import CorporateAction
from internal.venue.money import is_whole, round_shares
from internal.venue.orders import Order, Side


def split_order(order: Order, action: CorporateAction) -> Order | None:
    """An open order after a split of its ticker; None when it must be canceled (part filled, or nothing left of it)."""
    quantity = order.quantity
    if quantity is not None:
        quantity = round_shares(action.shares_after(quantity), whole=is_whole(quantity))
    if order.filled_quantity or quantity == 0:
        return None
    return replace(
        order,
        quantity=quantity,
        limit_price=_split_price(order.limit_price, action, order.side),
        stop_price=_split_price(order.stop_price, action, order.side.opposite),
        trail_price=None if order.trail_price is None else action.price_after(order.trail_price),
        high_water_mark=None if order.high_water_mark is None else action.price_after(order.high_water_mark),
        reserve_price=action.price_after(order.reserve_price),
    )


def _split_price(before: Decimal | None, action: CorporateAction, side: Side) -> Decimal | None:
    """A limit after a split, moved to the next allowed price that is no worse for the client; a stop the other way."""
    if before is None:
        return None
    price = action.price_after(before)
    step = Decimal("0.01") if price >= 1 else Decimal("0.0001")
    rounding = ROUND_FLOOR if side is Side.BUY else ROUND_CEILING
    return max((price / step).to_integral_value(rounding=rounding) * step, step)
