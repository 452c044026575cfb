"""Slippage: what fills cost against the closes that they were decided at; the one definition of it.

It is the implementation shortfall of the filled shares without their fees (Perold, "The implementation shortfall",
Journal of Portfolio Management, 1988): the delay from the close to the auction that fills, which is a gain as often as
a cost, and the spread and impact in it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from internal.trading.orders import Order


def measure_slippage(order: Order) -> float:
    """Dollars that the order's fills cost against the close it was decided at; below 0, a gain."""
    if order.filled_average_price is None:
        return 0.0
    return order.signed_filled_quantity * (order.filled_average_price - order.reference_price)


def measure_impact(order: Order, opening_price: float | None) -> float | None:
    """Dollars that the fills cost against the open of their session: spread and impact; the rest of it is the delay."""
    if order.filled_average_price is None or opening_price is None:
        return None
    return order.signed_filled_quantity * (order.filled_average_price - opening_price)


@dataclass(frozen=True, slots=True)
class FillSummary:
    """The fills of some orders.

    Attributes:
        traded_dollars: The filled shares at the prices of their fills, both sides.
        decided_dollars: The same shares at the closes that they were decided at.
        slippage: Dollars; below 0, a gain.
    """

    traded_dollars: float
    decided_dollars: float
    slippage: float

    @classmethod
    def of(cls, orders: Iterable[Order]) -> Self:
        """Sum the fills of orders; those without one add nothing."""
        filled = [(one, one.filled_average_price) for one in orders if one.filled_average_price is not None]
        return cls(
            traded_dollars=sum(one.filled_quantity * price for one, price in filled),
            decided_dollars=sum(one.filled_quantity * one.reference_price for one, _ in filled),
            slippage=sum(measure_slippage(one) for one, _ in filled),
        )

    @property
    def slippage_rate(self) -> float | None:
        """The slippage as a fraction of the decided dollars; None where nothing was filled."""
        return self.slippage / self.decided_dollars if self.decided_dollars else None
