"""Which open orders fill at an auction, how much of them, and at what price.

An order fills at the open, at the close, at its own limit when the session's range trades through it, or at its stop
when the session's path reaches it (`session_path`). An order that enters while the market is open waits for the close.

Slippage is the square-root law of market impact (Almgren, Thum, Hauptmann, Li, "Direct estimation of equity market
impact", Risk, 2005; Toth et al., Physical Review X 1, 021006, 2011) with a coefficient of one: half a spread plus
daily volatility x sqrt(shares filled / shares traded that session). Volatility is Parkinson's range estimator of the
same session (Journal of Business 53, 1980).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import log, sqrt

from internal.venue.clock import Auction, Step
from internal.venue.market.listing import Bar
from internal.venue.money import ZERO, decimal_of, is_whole, round_shares, to_price
from internal.venue.orders import Order, Side, TimeInForce
from internal.venue.session_path import FillQuote, rested, walk_stop

PARTICIPATION_LIMIT = 0.05  # of the session's volume, for all orders in a ticker together, at each of the two auctions
HALF_SPREAD = 0.0001

WORKING: Mapping[Auction, frozenset[TimeInForce]] = {
    Auction.OPEN: frozenset(set(TimeInForce) - {TimeInForce.CLS}),
    Auction.CLOSE: frozenset(set(TimeInForce) - {TimeInForce.OPG}),
}


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill: unsigned shares of an order at a price; `reference_price` is the auction's before slippage."""

    order: Order
    quantity: Decimal
    price: Decimal
    reference_price: Decimal


def match_orders(
    orders: Iterable[Order],
    bars: Mapping[str, Bar],
    step: Step,
    allow: Callable[[Order, Decimal], Decimal],
    cost_multiple: float = 1.0,
) -> Iterator[Execution]:
    """The fills of one auction, first come first served; `cost_multiple` scales slippage.

    `bars` are the session's, a ticker without one is halted; `allow` is asked only of an order that would fill,
    with its price's shares, and answers how many of them may: fewer where a fault or the position's size says so.
    """
    taken: dict[str, Decimal] = {}
    for order in orders:
        bar = bars.get(order.ticker)
        quote = quote_fill(order, bar, step) if bar is not None else None
        if bar is None or quote is None:
            continue
        available = decimal_of(bar.volume * PARTICIPATION_LIMIT) - taken.get(order.ticker, ZERO)
        if not available:
            continue
        whole = order.quantity is not None and is_whole(order.quantity)
        quantity = round_shares(min(_wanted(order, quote, bar, cost_multiple), available), whole=whole)
        quantity = round_shares(allow(order, quantity), whole=whole) if quantity else quantity
        if quantity and not _must_be_whole(order, quantity):
            taken[order.ticker] = taken.get(order.ticker, ZERO) + quantity
            yield Execution(order, quantity, _price(order, quote, bar, quantity, cost_multiple), quote.price)


def _must_be_whole(order: Order, quantity: Decimal) -> bool:
    """Whether a fill of so many shares is too little for an order that wants all or nothing."""
    return order.time_in_force is TimeInForce.FOK and order.quantity is not None and quantity < order.quantity


def _wanted(order: Order, quote: FillQuote, bar: Bar, cost_multiple: float) -> Decimal:
    """Shares still to fill; dollars are counted at the price after slippage, so that a buyer spends no more of them."""
    shares = order.remaining_at(quote.price)
    return (
        shares if order.quantity is not None else order.remaining_at(_price(order, quote, bar, shares, cost_multiple))
    )


def quote_fill(order: Order, bar: Bar, step: Step) -> FillQuote | None:
    """The price at which the order fills in the auction; None when it does not fill."""
    if order.time_in_force not in WORKING[step.auction] or order.is_waiting:
        return None
    if order.awaits_stop:
        return walk_stop(order, bar, step).quote
    if step.auction is Auction.CLOSE and order.limit_price is not None and _traded_through(order, bar, step):
        return FillQuote(order.limit_price, takes=False)
    auction_price = bar.open_price if step.auction is Auction.OPEN else bar.close_price
    if order.limit_price is None or (order.limit_price - auction_price) * order.side.sign >= 0:
        return FillQuote(auction_price, takes=True)
    return None


def _traded_through(order: Order, bar: Bar, step: Step) -> bool:
    """Whether the session traded beyond a resting limit; a touch fills only the first in a queue that nobody sees."""
    if order.limit_price is None or not rested(order, step):
        return False
    if order.side is Side.BUY:
        return decimal_of(bar.low) < order.limit_price
    return decimal_of(bar.high) > order.limit_price


def _price(order: Order, quote: FillQuote, bar: Bar, quantity: Decimal, cost_multiple: float) -> Decimal:
    if not quote.takes:
        return quote.price
    cost = decimal_of(slippage(float(quantity), bar) * cost_multiple)
    slipped = to_price(quote.price * (1 + order.side.sign * cost))
    if order.limit_price is not None:
        return min(slipped, order.limit_price) if order.side is Side.BUY else max(slipped, order.limit_price)
    return slipped


def slippage(quantity: float, bar: Bar) -> float:
    """The fraction of the price that taking `quantity` shares costs; see the module's first lines."""
    return slippage_rate(log(bar.high / bar.low) / (2 * sqrt(log(2))), quantity / bar.volume)


def slippage_rate(volatility: float, participation: float) -> float:
    """The fraction of the price that taking a share of a session's volume costs, at a daily volatility."""
    return HALF_SPREAD + volatility * sqrt(participation)
