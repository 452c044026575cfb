"""The order in which a session's prices come, as far as a daily bar says, and what a stop order makes of them.

A daily bar does not say when its high and its low were. The session is taken to go from the open to the nearer of the
two, then to the other, then to the close, as TradingView's broker emulator does. A stop is triggered by the first price
that reaches it; in a jump (the open against the night before) that price, not the stop, is where it trades.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from internal.dates import session_open
from internal.venue.clock import Auction, Step
from internal.venue.market.listing import Bar
from internal.venue.money import decimal_of, to_price
from internal.venue.orders import Order, OrderType, TimeInForce

PERCENT = Decimal(100)


@dataclass(frozen=True, slots=True)
class FillQuote:
    """The price at which an order would fill, and whether it takes liquidity (and so pays slippage)."""

    price: Decimal
    takes: bool


@dataclass(frozen=True, slots=True)
class StopWalk:
    """A stop order after it saw some prices, and the price at which it would fill."""

    order: Order
    quote: FillQuote | None = None


def session_path(bar: Bar) -> tuple[Decimal, ...]:
    """Open, the nearer of high and low, the other of the two, close."""
    high, low = decimal_of(bar.high), decimal_of(bar.low)
    first, second = (high, low) if high - bar.open_price <= bar.open_price - low else (low, high)
    return bar.open_price, first, second, bar.close_price


def rested(order: Order, step: Step) -> bool:
    """Whether an order lay in the book for the whole session, so that any price of it could have met it."""
    return order.time_in_force is not TimeInForce.CLS and order.submitted_at < session_open(step.session)


def prices_seen(order: Order, bar: Bar, step: Step) -> tuple[Decimal, ...]:
    """The prices that pass by the order up to this step; one that came during the session sees the close alone."""
    if step.auction is Auction.OPEN:
        return (bar.open_price,)
    return session_path(bar) if rested(order, step) else (bar.close_price,)


def walk_stop(order: Order, bar: Bar, step: Step) -> StopWalk:
    """What a stop order makes of the prices that pass by it: its stop follows, is triggered, and may fill."""
    prices = prices_seen(order, bar, step)
    for position, price in enumerate(prices):
        if _reaches(order, price):
            at = price if position == 0 or order.stop_price is None else order.stop_price
            return _trigger(order, (at, *prices[position:]), step.timestamp)
        order = follow_price(order, price)
    return StopWalk(order)


def _reaches(order: Order, price: Decimal) -> bool:
    return order.stop_price is not None and (price - order.stop_price) * order.side.sign >= 0


def _trigger(order: Order, prices: Sequence[Decimal], moment: datetime) -> StopWalk:
    """The order once its stop was reached: at the market, or with its limit against this price and those after it."""
    triggered = replace(order, triggered_at=moment)
    if order.limit_price is None or (order.limit_price - prices[0]) * order.side.sign >= 0:
        return StopWalk(triggered, FillQuote(prices[0], takes=True))
    if any((order.limit_price - price) * order.side.sign > 0 for price in prices[1:]):
        return StopWalk(triggered, FillQuote(order.limit_price, takes=False))
    return StopWalk(triggered)


def follow_price(order: Order, price: Decimal) -> Order:
    """A trailing stop after a price that may be its best so far; any other order as it is."""
    if order.type is not OrderType.TRAILING_STOP:
        return order
    best = order.high_water_mark
    if best is not None and (price - best) * order.side.sign >= 0:
        return order
    return replace(order, high_water_mark=price, stop_price=trailing_stop_price(order, price))


def trailing_stop_price(order: Order, best: Decimal) -> Decimal:
    """The stop at the order's distance from the best price: below it for a sale, above it for a purchase."""
    distance = order.trail_price if order.trail_percent is None else best * order.trail_percent / PERCENT
    return to_price(best + order.side.sign * (distance or Decimal(0)))


def moment_reached(order: Order, bar: Bar, step: Step) -> tuple[int, Decimal]:
    """How far along the session's path the order is met: legs of the path before it, dollars into the next one."""
    prices = prices_seen(order, bar, step)
    for position, price in enumerate(prices):
        target = order.stop_price if order.awaits_stop else order.limit_price
        sign = 1 if order.awaits_stop else -1
        if target is not None and (price - target) * order.side.sign * sign >= 0:
            return position, Decimal(0) if position == 0 else abs(target - prices[position - 1])
        order = follow_price(order, price)
    return len(prices), Decimal(0)
