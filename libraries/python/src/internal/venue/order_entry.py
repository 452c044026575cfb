"""Orders in and out of the market: accept, cancel, replace, close a position."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from internal.dates import previous_session
from internal.venue import rejections
from internal.venue.clock import ClockReading, Phase, read_clock
from internal.venue.identity import client_order_id, order_id
from internal.venue.market.protocol import Market
from internal.venue.money import is_whole, round_shares
from internal.venue.order_checks import OrderContext, check_order
from internal.venue.order_terms import check_increment
from internal.venue.orders import (
    Order,
    OrderChanges,
    OrderClass,
    OrderRequest,
    OrderStatus,
    OrderType,
    PositionIntent,
    Side,
    TimeInForce,
)
from internal.venue.session_path import follow_price
from internal.venue.state import VenueState

MICROSECOND = timedelta(microseconds=1)
PRICE_LOOK_BACK = 20  # sessions: a ticker halted for longer has no price to measure an order by


def last_known_price(market: Market, reading: ClockReading, ticker: str) -> Decimal | None:
    """The latest price that the clock has seen: today's open while the session runs, else the last close."""
    day = reading.session
    if reading.phase is Phase.OPEN and (bar := market.bar(ticker, day)) is not None:
        return bar.open_price
    if reading.phase is not Phase.CLOSED:
        day = previous_session(day)
    for _ in range(PRICE_LOOK_BACK):
        if (bar := market.bar(ticker, day)) is not None:
            return bar.close_price
        day = previous_session(day)
    return None


def accept_order(
    state: VenueState,
    market: Market,
    request: OrderRequest,
    *,
    borrow_refused: bool = False,
    replaced: Order | None = None,
) -> Order:
    """The order that the request becomes; `replaced` is the open order that it takes the place of.

    Raises RequestRefusedError. That the client's id is new is for the caller to check.
    """
    reading = read_clock(state.moment)
    listing = market.listing(request.ticker, reading.session)
    others = [one for one in state.open_orders.values() if replaced is None or one.sequence != replaced.sequence]
    last_price = None if listing is None else last_known_price(market, reading, request.ticker)
    context = OrderContext(
        account=state.account,
        open_orders=others,
        listing=listing,
        last_price=last_price,
        settings=state.settings,
        reading=reading,
        borrow_refused=borrow_refused,
    )
    terms = check_order(request, context)
    sequence, account, moment = state.last_order + 1, state.identity.account_id, _submission_moment(state)
    order = Order(
        sequence=sequence,
        id=order_id(account, sequence),
        client_order_id=request.client_order_id or client_order_id(account, sequence),
        ticker=request.ticker,
        side=request.side,
        type=request.type,
        time_in_force=request.time_in_force,
        position_intent=terms.position_intent,
        quantity=request.quantity,
        notional=request.notional,
        limit_price=request.limit_price,
        reserve_price=terms.reserve_price,
        status=OrderStatus.NEW if reading.phase is Phase.OPEN else OrderStatus.ACCEPTED,
        submitted_at=moment,
        updated_at=moment,
        replaces=None if replaced is None else replaced.id,
        security_id=None if listing is None else listing.security_id,
        order_class=request.order_class,
        stop_price=request.stop_price,
        trail_price=request.trail_price,
        trail_percent=request.trail_percent,
        extended_hours=request.extended_hours,
    )
    return order if last_price is None else follow_price(order, last_price)


def _submission_moment(state: VenueState) -> datetime:
    """The clock does not move between steps, so orders follow one another by microseconds."""
    if state.last_submitted_at is None:
        return state.moment
    return max(state.moment, state.last_submitted_at + MICROSECOND)


def replace_order(state: VenueState, market: Market, old: Order, changes: OrderChanges) -> Order:
    """The order that takes the place of an open one; what `changes` leaves out stays. Raises RequestRefusedError."""
    if old.notional is not None:
        raise rejections.unprocessable("notional orders cannot be replaced")
    if old.position_intent.opens or old.order_class is OrderClass.SIMPLE:
        new = accept_order(state, market, changes.applied_to(old), replaced=old)
        return replace(new, order_class=old.order_class)
    return _replace_exit(state, old, changes)


def _replace_exit(state: VenueState, old: Order, changes: OrderChanges) -> Order:
    """An exit with other prices; its quantity is the entry's."""
    if changes.quantity not in {None, old.quantity}:
        raise rejections.unprocessable(f"qty of {old.order_class} orders cannot be changed")
    limit_price, stop_price = changes.limit_price or old.limit_price, changes.stop_price or old.stop_price
    check_increment("limit_price", limit_price)
    check_increment("stop_price", stop_price)
    sequence, account, moment = state.last_order + 1, state.identity.account_id, _submission_moment(state)
    return replace(
        old,
        sequence=sequence,
        id=order_id(account, sequence),
        client_order_id=changes.client_order_id or client_order_id(account, sequence),
        limit_price=limit_price,
        stop_price=stop_price,
        submitted_at=moment,
        updated_at=moment,
        replaces=old.id,
    )


def mark_replaced(old: Order, new: Order) -> Order:
    """The order whose place the new one takes."""
    moment = new.submitted_at
    return replace(old, status=OrderStatus.REPLACED, replaced_at=moment, updated_at=moment, replaced_by=new.id)


def closing_request(held: Decimal, ticker: str, quantity: Decimal | None, percentage: Decimal | None) -> OrderRequest:
    """The market order that closes a position of `held` shares: wholly, by quantity, or by percentage of it."""
    size = abs(held)
    if percentage is not None:
        quantity = round_shares(size * percentage / 100, whole=is_whole(held))
    return OrderRequest(
        ticker=ticker,
        side=Side.SELL if held > 0 else Side.BUY,
        type=OrderType.MARKET,
        time_in_force=TimeInForce.DAY,
        quantity=size if quantity is None else quantity,
        notional=None,
        limit_price=None,
        client_order_id=None,
        position_intent=PositionIntent.SELL_TO_CLOSE if held > 0 else PositionIntent.BUY_TO_CLOSE,
    )
