"""Every rule of the broker that is checked before an order is accepted.

A check sees the last known price and never a bar, so that it cannot see the future.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal

from internal.dates import session_close, session_open
from internal.venue import rejections
from internal.venue.account_settings import AccountSettings
from internal.venue.clock import NEW_YORK, ClockReading
from internal.venue.margin_account import MarginAccount, buying_power, margin_multiplier, shares_held_for_orders
from internal.venue.market.listing import Listing
from internal.venue.money import ZERO, cents, is_whole
from internal.venue.order_terms import check_exits, check_terms
from internal.venue.orders import Order, OrderRequest, OrderStatus, OrderType, PositionIntent, Side, TimeInForce

SHORT_COLLAR = Decimal("1.03")  # Alpaca values a short sale 3 % above the last price when it checks buying power
AUCTION_WINDOW_REOPENS = time(19, 0)  # New York: opg and cls orders for the next session are taken from then on
OPG_CUTOFF = timedelta(minutes=2)
CLS_CUTOFF = timedelta(minutes=10)
OPPOSITE_OPENINGS = {
    Side.SELL: "cannot open a short sell while a long buy order is open",
    Side.BUY: "cannot open a long buy while a short sell order is open",
}


@dataclass(frozen=True, slots=True)
class OrderContext:
    """All that the checks of one order look at. `last_price` is None while the ticker has never traded."""

    account: MarginAccount
    open_orders: Collection[Order]
    listing: Listing | None
    last_price: Decimal | None
    settings: AccountSettings
    reading: ClockReading
    borrow_refused: bool


@dataclass(frozen=True, slots=True)
class AcceptedTerms:
    """What the checks decided: the order's intent and the price at which it holds buying power."""

    position_intent: PositionIntent
    reserve_price: Decimal


def check_order(request: OrderRequest, context: OrderContext) -> AcceptedTerms:
    """The order's intent and reserve price. Raises RequestRefusedError as the real broker refuses the order."""
    if context.settings.suspend_trade:
        raise rejections.trading_suspended()
    listing = _require_tradable(request, context)
    check_terms(request, listing, context.settings)
    _check_window(request.time_in_force, context.reading)
    intent = _infer_intent(request, context.account.quantity_of(request.ticker))
    if context.last_price is None:
        raise rejections.unprocessable(f'asset "{request.ticker}" has no price yet')
    reserve_price = _reserve_price(request, intent, context.last_price)
    _check_opposite_orders(request, intent, context.open_orders)
    check_exits(request, intent, request.limit_price or context.last_price)
    if intent.opens:
        _check_opening(request, intent, listing, context, reserve_price)
    else:
        _check_closing(request, context, reserve_price)
    return AcceptedTerms(intent, reserve_price)


def _require_tradable(request: OrderRequest, context: OrderContext) -> Listing:
    listing = context.listing
    if listing is None or listing.listed_date > context.reading.timestamp.astimezone(NEW_YORK).date():
        raise rejections.unprocessable(f'asset "{request.ticker}" not found')
    if not listing.is_active(context.reading.session):
        raise rejections.unprocessable(f"asset {request.ticker} is not active")
    return listing


def _check_window(time_in_force: TimeInForce, reading: ClockReading) -> None:
    """Auction orders are refused from shortly before their auction until 19:00 New York of that session."""
    local = reading.timestamp.astimezone(NEW_YORK)
    if time_in_force not in {TimeInForce.OPG, TimeInForce.CLS} or local.date() != reading.session:
        return
    cutoff = _cutoff(time_in_force, reading)
    if reading.timestamp >= cutoff and local.time() < AUCTION_WINDOW_REOPENS:
        raise rejections.forbidden(
            f"{time_in_force} orders are not accepted between {cutoff.astimezone(NEW_YORK):%H:%M} and 19:00 New York"
        )


def _cutoff(time_in_force: TimeInForce, reading: ClockReading) -> datetime:
    if time_in_force is TimeInForce.OPG:
        return session_open(reading.session) - OPG_CUTOFF
    return session_close(reading.session) - CLS_CUTOFF


def _infer_intent(request: OrderRequest, held: Decimal) -> PositionIntent:
    closes = held * request.side.sign < 0
    if request.side is Side.BUY:
        intent = PositionIntent.BUY_TO_CLOSE if closes else PositionIntent.BUY_TO_OPEN
    else:
        intent = PositionIntent.SELL_TO_CLOSE if closes else PositionIntent.SELL_TO_OPEN
    if request.position_intent not in {None, intent}:
        raise rejections.unprocessable(
            f"position intent mismatch, inferred: {intent}, specified: {request.position_intent}"
        )
    return intent


def _reserve_price(request: OrderRequest, intent: PositionIntent, last_price: Decimal) -> Decimal:
    """The price at which the order holds buying power: its limit, else its stop, else the last price."""
    if request.limit_price is not None:
        return request.limit_price
    price = request.stop_price or last_price
    return price * SHORT_COLLAR if intent is PositionIntent.SELL_TO_OPEN else price


def _check_opposite_orders(request: OrderRequest, intent: PositionIntent, open_orders: Collection[Order]) -> None:
    """Nobody opens a long and a short in one ticker, or trades with oneself: that would be a wash trade."""
    for order in open_orders:
        if order.ticker != request.ticker or order.side is request.side or order.status is OrderStatus.HELD:
            continue
        if intent.opens and order.position_intent.opens:
            raise rejections.forbidden(OPPOSITE_OPENINGS[request.side])
        if _could_trade(request, order):
            kind = "limit" if order.type is OrderType.LIMIT else "market/stop"
            raise rejections.forbidden(
                "potential wash trade detected. use complex orders",
                existing_order_id=order.id,
                reject_reason=f"opposite side {kind} order exists",
            )


def _could_trade(request: OrderRequest, order: Order) -> bool:
    if request.limit_price is None or order.limit_price is None:
        return True
    return (request.limit_price - order.limit_price) * request.side.sign >= 0


def _check_opening(
    request: OrderRequest,
    intent: PositionIntent,
    listing: Listing,
    context: OrderContext,
    reserve_price: Decimal,
) -> None:
    if intent is PositionIntent.SELL_TO_OPEN:
        _check_short(request, listing, context)
    cost = request.notional if request.quantity is None else request.quantity * reserve_price
    power = buying_power(context.account, context.open_orders, context.settings.margin_multiplier)
    if cost is not None and cents(cost) > power:
        raise rejections.insufficient_buying_power(power, cents(cost))


def _check_short(request: OrderRequest, listing: Listing, context: OrderContext) -> None:
    if request.quantity is None or not is_whole(request.quantity):
        raise rejections.unprocessable("fractional orders cannot be sold short")
    if context.settings.no_shorting or margin_multiplier(context.account, context.settings.margin_multiplier) == 1:
        raise rejections.forbidden("account is not allowed to short")
    if not listing.shortable or context.borrow_refused:
        raise rejections.not_shortable(request.ticker)


def _check_closing(request: OrderRequest, context: OrderContext, reserve_price: Decimal) -> None:
    """A closing order takes no more than what is free: it never flips the position through zero."""
    existing = abs(context.account.quantity_of(request.ticker))
    held = shares_held_for_orders(context.open_orders, request.ticker)
    requested = request.quantity if request.quantity is not None else (request.notional or ZERO) / reserve_price
    if requested > existing - held:
        raise rejections.insufficient_quantity(request.ticker, requested, existing, held)
