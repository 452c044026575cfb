"""Whose shares were traded by hand: the fund's, or those that somebody else holds beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import copysign


@dataclass(frozen=True, slots=True)
class Trade:
    """What filled of one order.

    Attributes:
        shares: Signed shares, negative when sold.
        is_own: Whether the fund sent the order.
        recorded: Shares of the fund's that it is already recorded to have closed; at least so many it did.
    """

    shares: float
    is_own: bool
    recorded: float = 0.0


def count_taken(own: float, others: float, trades: Sequence[Trade]) -> list[float]:
    """By trade, how many of the fund's shares an order by hand closed.

    An order by hand against the fund's side takes the shares of others first, then the fund's; what is more than both
    opens a position of others on the other side.

    Args:
        own: Signed shares of the fund's before the first trade.
        others: Signed shares of others before it.
        trades: In the order of their fills.
    """
    taken: list[float] = []
    for trade in trades:
        shares = 0.0 if trade.is_own else max(trade.recorded, _take(own, others, trade.shares))
        taken.append(shares)
        change = trade.shares if trade.is_own else copysign(shares, trade.shares)
        own, others = own + change, others + trade.shares - change
    return taken


def _take(own: float, others: float, shares: float) -> float:
    """The fund's shares that an order by hand closes."""
    if own * shares >= 0:
        return 0.0
    of_others = abs(others) if others * own > 0 else 0.0
    return min(max(abs(shares) - of_others, 0.0), abs(own))
