"""Which closes find the shares that they are to close: somebody may have traded at the broker since they were planned.

A close of shares that the fund no longer holds would sell somebody else's, or open a position on the other side.
"""

from collections.abc import Iterable, Mapping

from internal.trading.enums import Leg, Side
from internal.trading.order_planning import ROUNDING, sendable_shares
from internal.trading.orders import Order


def shares_to_close(order: Order, shares: Mapping[str, float]) -> float:
    """The shares of the close's name that are held on its side, as the broker takes them; 0 where none are.

    shares: The fund's own signed shares by ticker.
    """
    return sendable_shares(max(shares.get(order.ticker, 0.0) * _sign(order), 0.0), order.position_side)


def find_unheld(unsent: Iterable[Order], orders: Iterable[Order], shares: Mapping[str, float]) -> list[Order]:
    """The unsent closes for which the fund holds too few shares, beside the closes that are at the broker.

    Args:
        unsent: Closes that may still have to be sent.
        orders: All orders of the run.
        shares: The fund's own signed shares by ticker.
    """
    free, unheld = dict(shares), list[Order]()
    for order in orders:
        if order.leg is Leg.CLOSE and not order.state.is_final and not order.state.is_sendable:
            free[order.ticker] = free.get(order.ticker, 0.0) - _left(order)
    for order in unsent:
        if free.get(order.ticker, 0.0) * _sign(order) < order.quantity - order.filled_quantity - ROUNDING:
            unheld.append(order)
        else:
            free[order.ticker] -= _left(order)
    return unheld


def _left(order: Order) -> float:
    """Signed shares of the position that the close may still close."""
    return (order.quantity - order.filled_quantity) * _sign(order)


def _sign(order: Order) -> int:
    return 1 if order.position_side is Side.LONG else -1
