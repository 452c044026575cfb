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

    @property
    def opposite(self) -> "Side":
        """The other side."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(StrEnum):
    """The order types that this venue simulates."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"

    @property
    def words(self) -> str:
        """The type as sentences name it."""
        return self.replace("_", " ")


class TimeInForce(StrEnum):
    """How long an order works.

    This session, its opening or closing auction alone, until it is canceled, or at the next price alone: what of it can
    be filled (IOC), or the whole order or nothing (FOK).
    """

    DAY = "day"
    OPG = "opg"
    CLS = "cls"
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"


class OrderClass(StrEnum):
    """How orders that are sent together depend on one another.

    BRACKET: an entry, then a take-profit and a stop-loss of which one cancels the other. OCO: the last two alone.
    OTO: an entry, then one of the two.
    """

    SIMPLE = "simple"
    BRACKET = "bracket"
    OCO = "oco"
    OTO = "oto"


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
    HELD = "held"
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REPLACED = "replaced"
    REJECTED = "rejected"


OPEN_STATUSES = frozenset({OrderStatus.ACCEPTED, OrderStatus.HELD, OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED})


@dataclass(frozen=True, slots=True)
class StopLoss:
    """The stop-loss of an order that is sent with its exits: a stop order, or with a limit a stop limit order."""

    stop_price: Decimal
    limit_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What a client asks for: quantity in shares or notional in dollars, exactly one of them.

    Prices are dollars a share. A trailing stop follows the price at a distance of `trail_price` dollars or
    `trail_percent` percent; `take_profit` is that exit's limit.
    """

    ticker: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal | None
    notional: Decimal | None
    limit_price: Decimal | None
    client_order_id: str | None
    position_intent: PositionIntent | None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    order_class: OrderClass = OrderClass.SIMPLE
    take_profit: Decimal | None = None
    stop_loss: StopLoss | None = None
    extended_hours: bool = False

    @property
    def is_fractional(self) -> bool:
        """Whether the terms ask for less than whole shares: dollars, or a quantity with decimals."""
        return self.notional is not None or (self.quantity is not None and not is_whole(self.quantity))


@dataclass(frozen=True)
class Order:
    """One accepted order. Quantities in shares, prices in dollars a share, moments in UTC.

    `sequence` counts the orders of the exchange; `reserve_price` is the price at which the order holds buying power.
    A stop order has its `stop_price` until `triggered_at`; a trailing stop's follows `high_water_mark`, the best price
    since it was sent. `parent_id` is the order that an exit was sent with; it `is_waiting` until that one is filled.
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
    order_class: OrderClass = OrderClass.SIMPLE
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    high_water_mark: Decimal | None = None
    triggered_at: datetime | None = None
    parent_id: str | None = None
    is_waiting: bool = False
    extended_hours: bool = False
    failed_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether the order can still fill."""
        return self.status in OPEN_STATUSES

    @property
    def awaits_stop(self) -> bool:
        """Whether the order does nothing until the price reaches its stop."""
        return self.stop_price is not None and self.triggered_at is None

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
    stop_price: Decimal | None = None
    trail: Decimal | None = None

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
            stop_price=None if order.type is OrderType.TRAILING_STOP else self.stop_price or order.stop_price,
            trail_price=order.trail_price and (self.trail or order.trail_price),
            trail_percent=order.trail_percent and (self.trail or order.trail_percent),
            extended_hours=order.extended_hours,
        )
