"""What an order is: its terms, its states, and what is left of it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from internal.venue.money import ZERO, cents, is_whole


class Side(StrEnum):
    """Buy or sell."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell: what a fill adds to the position."""
        return 1 if self is Side.BUY else -1


class OrderType(StrEnum):
    """The order types that this venue simulates."""

    MARKET = "market"
    LIMIT = "limit"


class TimeInForce(StrEnum):
    """How long an order works: this session, its opening or closing auction alone, or until it is canceled."""

    DAY = "day"
    OPG = "opg"
    CLS = "cls"
    GTC = "gtc"


class PositionIntent(StrEnum):
    """What the order does to the position; an order never opens and closes at once."""

    BUY_TO_OPEN = "buy_to_open"
    BUY_TO_CLOSE = "buy_to_close"
    SELL_TO_OPEN = "sell_to_open"
    SELL_TO_CLOSE = "sell_to_close"

    @property
    def opens(self) -> bool:
        """Whether the order adds to the position's size."""
        return self in {PositionIntent.BUY_TO_OPEN, PositionIntent.SELL_TO_OPEN}


class OrderStatus(StrEnum):
    """The states that Alpaca reports and that occur here."""

    PENDING_NEW = "pending_new"
    ACCEPTED = "accepted"
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REPLACED = "replaced"


OPEN_STATUSES = frozenset({OrderStatus.ACCEPTED, OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED})


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What a client asks for: quantity in shares or notional in dollars, exactly one of them."""

    ticker: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal | None
    notional: Decimal | None
    limit_price: Decimal | None
    client_order_id: str | None
    position_intent: PositionIntent | None

    @property
    def is_fractional(self) -> bool:
        """Whether the terms ask for less than whole shares: dollars, or a quantity with decimals."""
        return self.notional is not None or (self.quantity is not None and not is_whole(self.quantity))


@dataclass(frozen=True)
class Order:
    """One accepted order. Quantities in shares, prices in dollars a share, moments in UTC.

    `sequence` counts the orders of the exchange; `reserve_price` is the price at which the order holds buying power;
    `security_id` is its listing's.
    """

    sequence: int
    id: str
    client_order_id: str
    ticker: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    position_intent: PositionIntent
    quantity: Decimal | None
    notional: Decimal | None
    limit_price: Decimal | None
    reserve_price: Decimal
    status: OrderStatus
    submitted_at: datetime
    updated_at: datetime
    filled_quantity: Decimal = ZERO
    filled_average_price: Decimal | None = None
    filled_at: datetime | None = None
    expired_at: datetime | None = None
    canceled_at: datetime | None = None
    replaced_at: datetime | None = None
    replaced_by: str | None = None
    replaces: str | None = None
    security_id: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether the order can still fill."""
        return self.status in OPEN_STATUSES

    @property
    def filled_notional(self) -> Decimal:
        """Dollars filled so far."""
        return self.filled_quantity * self.filled_average_price if self.filled_average_price is not None else ZERO

    @cached_property
    def reserved_amount(self) -> Decimal:
        """Dollars of buying power that the order holds: what is left of an open, opening order at its reserve price."""
        if not (self.is_open and self.position_intent.opens):
            return ZERO
        return cents(self.remaining_at(self.reserve_price) * self.reserve_price)

    def remaining_at(self, price: Decimal) -> Decimal:
        """Shares still to fill, where a notional order counts what its dollars buy at the price (not rounded)."""
        if self.quantity is not None:
            return self.quantity - self.filled_quantity
        if self.notional is None:
            return ZERO
        return max(self.notional - self.filled_notional, ZERO) / price


@dataclass(frozen=True, slots=True)
class OrderChanges:
    """What a replacement changes of an order; None keeps what the order has."""

    quantity: Decimal | None
    time_in_force: TimeInForce | None
    limit_price: Decimal | None
    client_order_id: str | None

    def applied_to(self, order: Order) -> OrderRequest:
        """The request that the replaced order's successor is."""
        return OrderRequest(
            ticker=order.ticker,
            side=order.side,
            type=order.type,
            time_in_force=self.time_in_force or order.time_in_force,
            quantity=order.quantity if self.quantity is None else self.quantity,
            notional=order.notional if self.quantity is None else None,
            limit_price=order.limit_price if self.limit_price is None else self.limit_price,
            client_order_id=self.client_order_id,
            position_intent=order.position_intent,
        )
