"""Orders of the journal, and what of them is sent."""

from dataclasses import dataclass
from datetime import date, datetime

from internal.trading.enums import Adjustment, Leg, OrderSide, OrderState, Side, TimeInForce


def sign_fill(side: OrderSide, filled_quantity: float) -> float:
    """Filled shares, negative when sold."""
    return filled_quantity if side is OrderSide.BUY else -filled_quantity


@dataclass(frozen=True, slots=True)
class Order:
    """An order of the journal.

    Attributes:
        portfolio_id: The portfolio that it belongs to.
        date: The session at whose close it was decided.
        client_order_id: A function of what the order is; a second send under it is the same order.
        ticker: Its name at the broker.
        side: Buy or sell.
        leg: Whether it opens a position, adds to one or closes one.
        quantity: Shares.
        reference_price: The close of `date`, dollars.
        reason: One sentence for people; no rule reads it.
        updated_at: The market's clock at the last change.
        state: What became of it.
        adjustment: Whether the order was changed or added to keep the sides equal.
        time_in_force: How long it stays at the broker.
        broker_order_id: The broker's own id; None before the broker answered.
        filled_quantity: Shares filled so far.
        filled_average_price: Dollars; None before the first fill.
        security_id: The permanent id of the security; None in rows that are older than it.
        asset_id: The broker's own id of the security; None before the broker answered, or where it has none.
    """

    portfolio_id: str
    date: date
    client_order_id: str
    ticker: str
    side: OrderSide
    leg: Leg
    quantity: float
    reference_price: float
    reason: str
    updated_at: datetime
    state: OrderState = OrderState.PLANNED
    adjustment: Adjustment = Adjustment.NONE
    time_in_force: TimeInForce = TimeInForce.DAY
    broker_order_id: str | None = None
    filled_quantity: float = 0.0
    filled_average_price: float | None = None
    security_id: str | None = None
    asset_id: str | None = None

    @property
    def signed_filled_quantity(self) -> float:
        """Shares filled so far, negative when sold."""
        return sign_fill(self.side, self.filled_quantity)

    @property
    def position_side(self) -> Side:
        """The side of the position that the order opens or closes."""
        return Side.LONG if (self.side is OrderSide.BUY) == self.leg.opens else Side.SHORT


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What is sent: a market order in shares."""

    client_order_id: str
    ticker: str
    side: OrderSide
    quantity: float
    time_in_force: TimeInForce
