"""Buying power: what openings cost by the broker's rule, which of them it can carry now, and how to make them fit.

Alpaca checks every opening order against buying power: a long at its price, a short at 3 % above it; open opening
orders hold what they cost, and closing orders free nothing before they have filled
(https://docs.alpaca.markets/docs/orders-at-alpaca). The fund holds positions overnight, for which buying power is twice
the equity at most (Regulation T).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from math import floor

from internal.trading.enums import Adjustment, OrderState, Side
from internal.trading.orders import Order

SHORT_COLLAR = 1.03  # the broker values a short sale this much above the last price
CUT = "cut to the account's buying power"


def opening_cost(order: Order) -> float:
    """Dollars of buying power that an opening order needs."""
    collar = SHORT_COLLAR if order.position_side is Side.SHORT else 1.0
    return order.quantity * order.reference_price * collar


def total_cost(openings: Iterable[Order]) -> float:
    """Dollars of buying power that openings need together."""
    return sum(opening_cost(order) for order in openings)


def select_affordable(
    openings: Sequence[Order], buying_power: float, held: Mapping[Side, float], tolerance: float
) -> list[Order]:
    """The largest part of the openings that fits and leaves the sides in their decided proportion, to the tolerance.

    `held` are the dollars that each side holds without them; with all of them it holds what was decided. The next order
    is always of the side that has less (where unequal sides are wanted: less of what was decided), the larger orders
    first; what does not fit ends it.
    """
    waiting = {side: sorted(_of_side(openings, side), key=_largest_first) for side in Side}
    weights = _side_weights(openings, held, tolerance)
    values = {side: held[side] * weight for side, weight in weights.items()}
    left, chosen, best = buying_power, list[Order](), 0
    while True:
        side = min(weights, key=lambda side: values[side])
        order = waiting[side].pop(0) if waiting[side] else None
        if order is None or opening_cost(order) > left:
            return chosen[:best]
        chosen.append(order)
        left -= opening_cost(order)
        values[side] += order.quantity * order.reference_price * weights[side]
        if are_equal(values, tolerance):
            best = len(chosen)


def are_equal(values: Mapping[Side, float], tolerance: float) -> bool:
    """Whether the dollars of the sides differ by at most the tolerance, a fraction of the larger one."""
    return max(values.values()) - min(values.values()) <= tolerance * max(values.values())


def _side_weights(openings: Sequence[Order], held: Mapping[Side, float], tolerance: float) -> dict[Side, float]:
    """By side that is to hold something, what makes its decided dollars as many as the larger side's; 1 when equal."""
    decided = {
        side: held[side] + sum(order.quantity * order.reference_price for order in _of_side(openings, side))
        for side in Side
    }
    larger = max(decided.values())
    if are_equal(decided, tolerance):
        return dict.fromkeys(Side, 1.0)
    return {side: larger / dollars for side, dollars in decided.items() if dollars > 0}


def scale_openings(openings: Sequence[Order], buying_power: float, moment: datetime) -> list[Order]:
    """The openings made smaller by one factor, so that all fit; whole shares, and one without a share is dropped."""
    factor = min(max(buying_power, 0.0) / total_cost(openings), 1.0)
    return [_scaled(order, float(floor(order.quantity * factor)), moment) for order in openings]


def _scaled(order: Order, quantity: float, moment: datetime) -> Order:
    cut = replace(order, adjustment=Adjustment.CUT, reason=CUT, updated_at=moment)
    return replace(cut, quantity=quantity) if quantity > 0 else replace(cut, state=OrderState.DROPPED)


def _of_side(openings: Iterable[Order], side: Side) -> list[Order]:
    return [order for order in openings if order.position_side is side]


def _largest_first(order: Order) -> tuple[float, str]:
    return -order.quantity * order.reference_price, order.client_order_id
