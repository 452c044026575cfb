"""Orders in and out of the book: submit, cancel, replace, close a position. One transaction each.

Knows which checks and writes belong together. Knows nothing of HTTP, and nothing of the market later than the clock.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from exchange.adapters.database import Database
from exchange.adapters.sqlite_repository import Ledger
from exchange.faults import FaultKind, take_market_fault
from internal.dates import previous_session
from internal.venue import rejections
from internal.venue.clock import Phase, Reading, read
from internal.venue.identity import client_order_id, order_id
from internal.venue.market.protocol import Market
from internal.venue.money import decimal_of, is_whole, round_shares
from internal.venue.order_checks import Acceptance, OrderContext, decide
from internal.venue.orders import (
    Order,
    OrderChanges,
    OrderRequest,
    OrderStatus,
    OrderType,
    PositionIntent,
    Side,
    TimeInForce,
)
from internal.venue.rejections import AlpacaError

MICROSECOND = timedelta(microseconds=1)
PRICE_LOOK_BACK = 20  # sessions: a ticker halted for longer has no price to measure an order by


def last_known_price(market: Market, reading: Reading, ticker: str) -> Decimal | None:
    """The latest price that the clock has seen: today's open while the session runs, else the last close."""
    day = reading.session
    if reading.phase is Phase.OPEN and (bar := market.bar(ticker, day)) is not None:
        return decimal_of(bar.open)
    if reading.phase is not Phase.CLOSED:
        day = previous_session(day)
    for _ in range(PRICE_LOOK_BACK):
        if (bar := market.bar(ticker, day)) is not None:
            return decimal_of(bar.close)
        day = previous_session(day)
    return None


class TradingDesk:
    """Takes orders in and out of the stored book of one exchange, at the stored clock's moment."""

    def __init__(self, database: Database, market: Market) -> None:
        self._database = database
        self._market = market

    def submit(self, request: OrderRequest) -> Order:
        """Accepts an order durably, or raises the AlpacaError of its refusal."""
        with self._database.transaction() as connection:
            ledger = Ledger(connection)
            outcome = self._attempt(ledger, request, borrow_refused=_borrow_refused(ledger, request))
            if isinstance(outcome, Order):
                ledger.put_order(outcome)
        if isinstance(outcome, Order):
            return outcome
        raise outcome

    def _attempt(self, ledger: Ledger, request: OrderRequest, *, borrow_refused: bool) -> Order | AlpacaError:
        """The order or its refusal, as a value: the transaction commits either way, a fault that struck is used up."""
        try:
            return self._accept(ledger, request, borrow_refused=borrow_refused)
        except AlpacaError as refusal:
            return refusal

    def _accept(
        self, ledger: Ledger, request: OrderRequest, *, borrow_refused: bool = False, replaced: Order | None = None
    ) -> Order:
        if request.client_order_id is not None and ledger.order_by_client_id(request.client_order_id) is not None:
            raise rejections.invalid("client_order_id must be unique")
        reading, listing = read(ledger.clock()), self._market.listing(request.ticker)
        context = OrderContext(
            book=ledger.book(),
            open_orders=[order for order in ledger.open_orders() if order != replaced],
            listing=listing,
            last_price=None if listing is None else last_known_price(self._market, reading, request.ticker),
            configurations=ledger.configurations(),
            reading=reading,
            borrow_refused=borrow_refused,
        )
        return _new_order(ledger, reading, request, decide(request, context), replaced)

    def cancel(self, identifier: str) -> Order:
        """Cancels an open order. AlpacaError 404 when there is none, 422 when it is done already."""
        with self._database.transaction() as connection:
            ledger = Ledger(connection)
            order = find_order(ledger, identifier)
            if not order.is_open:
                raise rejections.unprocessable(f'order is already in "{order.status}" state')
            return _cancel(ledger, order)

    def cancel_all(self) -> list[Order]:
        """Cancels every open order."""
        with self._database.transaction() as connection:
            ledger = Ledger(connection)
            return [_cancel(ledger, order) for order in ledger.open_orders()]

    def replace(self, identifier: str, changes: OrderChanges) -> Order:
        """Puts a new order in the place of an open, unfilled one; what `changes` leaves out stays."""
        with self._database.transaction() as connection:
            ledger = Ledger(connection)
            old = find_order(ledger, identifier)
            if not old.is_open or old.filled_quantity:
                raise rejections.unprocessable(f'cannot replace order in "{old.status}" state')
            new = self._accept(ledger, changes.applied_to(old), replaced=old)
            ledger.put_order(new)
            ledger.put_order(_replaced_by(old, new))
            return new


def _cancel(ledger: Ledger, order: Order) -> Order:
    moment = max(ledger.clock(), order.submitted_at)
    canceled = replace(order, status=OrderStatus.CANCELED, canceled_at=moment, updated_at=moment)
    ledger.put_order(canceled)
    return canceled


def _replaced_by(old: Order, new: Order) -> Order:
    moment = new.submitted_at
    return replace(old, status=OrderStatus.REPLACED, replaced_at=moment, updated_at=moment, replaced_by=new.id)


def _borrow_refused(ledger: Ledger, request: OrderRequest) -> bool:
    if request.side is Side.BUY or ledger.book().quantity_of(request.ticker) > 0:
        return False
    return take_market_fault(ledger.connection, FaultKind.REFUSED_SHORT, request.ticker) is not None


def _new_order(
    ledger: Ledger, reading: Reading, request: OrderRequest, acceptance: Acceptance, replaced: Order | None
) -> Order:
    sequence, account = ledger.next_order_sequence(), ledger.required_fact("account_id")
    moment = next_moment(ledger, reading.timestamp)
    return Order(
        sequence=sequence,
        id=order_id(account, sequence),
        client_order_id=request.client_order_id or client_order_id(account, sequence),
        ticker=request.ticker,
        side=request.side,
        type=request.type,
        time_in_force=request.time_in_force,
        position_intent=acceptance.position_intent,
        quantity=request.quantity,
        notional=request.notional,
        limit_price=request.limit_price,
        reserve_price=acceptance.reserve_price,
        status=OrderStatus.NEW if reading.phase is Phase.OPEN else OrderStatus.ACCEPTED,
        submitted_at=moment,
        updated_at=moment,
        replaces=None if replaced is None else replaced.id,
    )


def next_moment(ledger: Ledger, now: datetime) -> datetime:
    """The moment of a new order: the clock stands still between steps, so orders follow one another by microseconds."""
    last = ledger.last_submitted_at()
    return now if last is None else max(now, last + MICROSECOND)


def find_order(ledger: Ledger, identifier: str) -> Order:
    """An order by its id; AlpacaError 404 when there is none."""
    order = ledger.order(identifier)
    if order is None:
        raise rejections.not_found(f"order not found for {identifier}")
    return order


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
