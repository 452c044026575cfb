"""The clock's steps: what an open and a close do to the book, in order, as one transaction.

Knows the order of events inside a step. Knows nothing of HTTP or of when somebody moves the clock. A step is stored
whole or not at all, and the event that tells of it is recorded in the same transaction.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from exchange.activities import FILL, Stamp, fill_activity, movement_activity
from exchange.adapters.sqlite_repository import Ledger
from exchange.faults import FaultKind, take_market_fault
from internal.dates import next_session, previous_session
from internal.event_types import EventType
from internal.venue.charges import Sale, charge_borrow, charge_fees
from internal.venue.clock import Auction, Step
from internal.venue.corporate_actions import Split, apply_delisting, apply_dividend, apply_split, split_order
from internal.venue.history import Movement
from internal.venue.margin_account import apply_fill, apply_marks, roll_day
from internal.venue.market.listing import Bar
from internal.venue.market.protocol import Market
from internal.venue.matching import Execution, average_price, match
from internal.venue.money import decimal_of
from internal.venue.orders import Order, OrderStatus, TimeInForce

NOTIONAL_REST = Decimal("0.001")


class StepRun:
    """One step of the clock on one ledger, inside one transaction."""

    def __init__(self, ledger: Ledger, market: Market, step: Step) -> None:
        self._ledger = ledger
        self._market = market
        self._step = step
        self._account = ledger.required_fact("account_id")
        self._activity_sequence = ledger.last_activity_sequence()
        self.book = ledger.book()

    def play(self) -> None:
        """Carries the step out and moves the stored clock to it."""
        if self._step.auction is Auction.OPEN:
            self._open()
        else:
            self._close()
        self._ledger.set_book(self.book)
        self._ledger.set_clock(self._step.timestamp)

    def _open(self) -> None:
        self.book = roll_day(self.book)
        self._corporate_actions()
        self._auction(lambda bar: bar.open)
        for order in self._ledger.open_orders():
            if order.time_in_force is TimeInForce.OPG:
                self._end(order, OrderStatus.CANCELED)
            elif order.status is OrderStatus.ACCEPTED:
                self._ledger.put_order(replace(order, status=OrderStatus.NEW, updated_at=self._step.timestamp))
        self._ledger.add_session_event(EventType.SESSION_OPENED, self._step.session)

    def _close(self) -> None:
        self._auction(lambda bar: bar.close)
        for order in self._ledger.open_orders():
            if order.time_in_force is TimeInForce.CLS or (
                order.time_in_force is TimeInForce.DAY and order.filled_quantity
            ):
                self._end(order, OrderStatus.CANCELED)
            elif order.time_in_force is TimeInForce.DAY:
                self._end(order, OrderStatus.EXPIRED)
        self._charges()
        self._ledger.add_session_event(EventType.SESSION_CLOSED, self._step.session)

    def _corporate_actions(self) -> None:
        """Splits first, then delistings, then dividends on what was held overnight."""
        start, end = previous_session(self._step.session) + timedelta(days=1), self._step.session
        for row in self._market.splits(start, end).iter_rows(named=True):
            self._split(Split(row["ticker"], decimal_of(row["split_from"]), decimal_of(row["split_to"])))
        for row in self._market.dividends(start, end).iter_rows(named=True):
            self.book, movements = apply_dividend(self.book, row["ticker"], decimal_of(row["cash_amount"]))
            self._record(movements)
        concerned = {*self.book.positions, *(order.ticker for order in self._ledger.open_orders())}
        for ticker in sorted(concerned):
            listing = self._market.listing(ticker)
            if listing is None or not listing.is_active(self._step.session):
                self._delist(ticker)

    def _split(self, split: Split) -> None:
        self.book, movements = apply_split(self.book, split)
        self._record(movements)
        for order in self._ledger.open_orders():
            if order.ticker != split.ticker:
                continue
            adjusted = split_order(order, split)
            if adjusted is None:
                self._end(order, OrderStatus.CANCELED)
            else:
                self._ledger.put_order(replace(adjusted, updated_at=self._step.timestamp))

    def _delist(self, ticker: str) -> None:
        self.book, movements = apply_delisting(self.book, ticker)
        self._record(movements)
        for order in self._ledger.open_orders():
            if order.ticker == ticker:
                self._end(order, OrderStatus.CANCELED)

    def _auction(self, price_of: Callable[[Bar], float]) -> None:
        orders = self._ledger.open_orders()
        bars = self._bars({*self.book.positions, *(order.ticker for order in orders)})
        for execution in match(orders, bars, self._step, self._allow):
            self._fill(execution)
        self.book = apply_marks(self.book, {ticker: decimal_of(price_of(bar)) for ticker, bar in bars.items()})

    def _bars(self, tickers: set[str]) -> dict[str, Bar]:
        found = ((ticker, self._market.bar(ticker, self._step.session)) for ticker in sorted(tickers))
        return {ticker: bar for ticker, bar in found if bar is not None}

    def _allow(self, order: Order, quantity: Decimal) -> Decimal:
        """A sale for dollars takes no more shares than there are; a fault may cut any fill to a share of itself."""
        if not order.position_intent.opens:
            quantity = min(quantity, abs(self.book.quantity_of(order.ticker)))
        fault = take_market_fault(self._ledger.connection, FaultKind.PARTIAL_FILL, order.ticker)
        return quantity if fault is None or fault.share is None else quantity * decimal_of(fault.share)

    def _fill(self, execution: Execution) -> None:
        order, signed = execution.order, execution.order.side.sign * execution.quantity
        self.book = apply_fill(self.book, order.ticker, signed, execution.price, self._previous_close(execution))
        filled = replace(
            order,
            filled_quantity=order.filled_quantity + execution.quantity,
            filled_average_price=average_price(order, execution.quantity, execution.price),
            updated_at=self._step.timestamp,
        )
        done = _is_done(filled, execution.price)
        status = OrderStatus.FILLED if done else OrderStatus.PARTIALLY_FILLED
        filled = replace(filled, status=status, filled_at=self._step.timestamp if done else None)
        self._ledger.put_order(filled)
        self._ledger.add_activities([fill_activity(self._stamp(), execution, filled)])

    def _previous_close(self, execution: Execution) -> Decimal:
        bar = self._market.bar(execution.order.ticker, previous_session(self._step.session))
        return execution.reference_price if bar is None else decimal_of(bar.close)

    def _end(self, order: Order, status: OrderStatus) -> None:
        moment = self._step.timestamp
        ended = replace(order, status=status, updated_at=moment)
        expired = status is OrderStatus.EXPIRED
        self._ledger.put_order(replace(ended, expired_at=moment) if expired else replace(ended, canceled_at=moment))

    def _charges(self) -> None:
        fills = [row.body for row in self._ledger.activities(session=self._step.session) if row.activity_type == FILL]
        self.book, fees = charge_fees(self.book, sales_of(fills), self._step.session)
        nights = (next_session(self._step.session) - self._step.session).days
        self.book, borrow = charge_borrow(self.book, self._borrow_rates(), self._step.session, nights)
        self._record([*fees, *borrow])

    def _borrow_rates(self) -> dict[str, Decimal]:
        listings = (self._market.listing(ticker) for ticker in self.book.positions)
        return {listing.ticker: decimal_of(listing.borrow_rate) for listing in listings if listing is not None}

    def _record(self, movements: list[Movement]) -> None:
        self._ledger.add_activities([movement_activity(self._stamp(), movement) for movement in movements])

    def _stamp(self) -> Stamp:
        """The identity of the next row of the account's history."""
        self._activity_sequence += 1
        return Stamp(self._account, self._activity_sequence, self._step.session, self._step.timestamp)


def _is_done(order: Order, price: Decimal) -> bool:
    """Whether nothing is left to fill; the thousandth of a notional order that rounding may leave is nothing."""
    if order.notional is None:
        return order.quantity is not None and order.filled_quantity >= order.quantity
    return order.remaining_at(price) * price < order.notional * NOTIONAL_REST


def sales_of(fills: list[dict[str, str | None]]) -> list[Sale]:
    """The sell fills among the rows of a session's history."""
    return [Sale(Decimal(row["qty"] or 0), Decimal(row["price"] or 0)) for row in fills if row["side"] == "sell"]
