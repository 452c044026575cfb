"""What a session's open and close do to the account, in order.

Open: the day rolls over, corporate actions, the opening auction, the end of opening-auction orders.
Close: the closing auction, the end of day orders, fees, borrow cost, interest.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from internal.dates import next_session, previous_session
from internal.venue.action_processing import RESIZES, OpeningTerms, apply_action, apply_delisting, ends_ticker
from internal.venue.charges import Trade, charge_borrow, charge_fees, charge_interest
from internal.venue.clock import Auction, Step
from internal.venue.corporate_actions import CorporateAction
from internal.venue.fills import fill_order
from internal.venue.history import Fill, HistoryRow, Movement
from internal.venue.margin_account import apply_fill, apply_marks, roll_day
from internal.venue.market.listing import Bar
from internal.venue.market.protocol import Market
from internal.venue.market_faults import FaultSchedule, MarketFaultKind
from internal.venue.matching import Execution, match_orders
from internal.venue.money import ONE, decimal_of
from internal.venue.order_adjustment import split_order
from internal.venue.order_groups import end_order, follow_order, later_exits
from internal.venue.orders import Order, OrderClass, OrderStatus, TimeInForce
from internal.venue.session_path import walk_stop
from internal.venue.state import SessionEvent, VenueChange, VenueState

IMMEDIATE = frozenset({TimeInForce.IOC, TimeInForce.FOK})
OPENING_ONLY, CLOSING_ONLY = IMMEDIATE | {TimeInForce.OPG}, IMMEDIATE | {TimeInForce.CLS}


def process_step(
    state: VenueState, market: Market, step: Step, faults: FaultSchedule, cost_multiple: Decimal = ONE
) -> VenueChange:
    """The change that a session's open or close makes; the state after it has the step's moment."""
    return _StepRun(state, market, step, faults, cost_multiple).run()


class _StepRun:
    """One step on working copies of the state's parts."""

    def __init__(
        self, state: VenueState, market: Market, step: Step, faults: FaultSchedule, cost_multiple: Decimal
    ) -> None:
        self._before = state
        self._market = market
        self._step = step
        self._faults = faults
        self._cost_multiple = cost_multiple
        self._account = state.account
        self._open_orders = dict(state.open_orders)
        self._changed: dict[int, Order] = {}
        self._history: list[HistoryRow] = []
        self._trades = list(state.session_trades)

    def run(self) -> VenueChange:
        """Carries the step out."""
        if self._step.auction is Auction.OPEN:
            self._process_open()
        else:
            self._process_close()
        after = replace(
            self._before,
            moment=self._step.timestamp,
            account=self._account,
            open_orders=self._open_orders,
            last_row=self._before.last_row + len(self._history),
            session_trades=tuple(self._trades),
        )
        return VenueChange(
            before=self._before,
            after=after,
            orders=tuple(self._changed.values()),
            history=tuple(self._history),
            event=SessionEvent(self._step.auction, self._step.session),
            used_faults=tuple(self._faults.used),
        )

    def _process_open(self) -> None:
        self._account = roll_day(self._account)
        self._trades.clear()
        self._apply_corporate_actions()
        self._reject_orders()
        self._run_auction()
        for order in list(self._open_orders.values()):
            if order.time_in_force in OPENING_ONLY:
                self._end(order, OrderStatus.CANCELED)
            elif order.status is OrderStatus.ACCEPTED:
                self._put(replace(order, status=OrderStatus.NEW, updated_at=self._step.timestamp))

    def _process_close(self) -> None:
        self._run_auction()
        for order in list(self._open_orders.values()):
            if order.time_in_force in CLOSING_ONLY or (
                order.time_in_force is TimeInForce.DAY and order.filled_quantity
            ):
                self._end(order, OrderStatus.CANCELED)
            elif order.time_in_force is TimeInForce.DAY:
                self._end(order, OrderStatus.EXPIRED)
        self._charge()

    def _reject_orders(self) -> None:
        """A fault may reject an order that was accepted before the open, as exchanges do late."""
        for order in list(self._open_orders.values()):
            if self._faults.take(MarketFaultKind.LATE_REJECTION, order.ticker) is not None:
                self._end(order, OrderStatus.REJECTED)

    def _apply_corporate_actions(self) -> None:
        """Every action since the session before, in the market's order, then delistings without terms."""
        start, end = previous_session(self._step.session) + timedelta(days=1), self._step.session
        for action in self._market.corporate_actions(start, end):
            self._apply_action(action)
        for ticker in self._concerned_tickers():
            listing = self._market.listing(ticker, self._step.session)
            if listing is None or not listing.is_active(self._step.session):
                self._delist(ticker)

    def _concerned_tickers(self) -> list[str]:
        """What is held or ordered, in alphabetical order."""
        return sorted({*self._account.positions, *(order.ticker for order in self._open_orders.values())})

    def _apply_action(self, action: CorporateAction) -> None:
        terms = OpeningTerms(self._opening_price, self._is_fractionable)
        self._account, movements = apply_action(self._account, action, terms)
        self._record(movements)
        if action.kind not in RESIZES and not ends_ticker(action.kind):
            return
        for order in self._orders_in(action.ticker):
            adjusted = split_order(order, action) if action.kind in RESIZES else None
            if adjusted is None:
                self._end(order, OrderStatus.CANCELED)
            elif order.sequence in self._open_orders:
                self._put(replace(adjusted, updated_at=self._step.timestamp))

    def _opening_price(self, ticker: str) -> Decimal | None:
        bar = self._market.bar(ticker, self._step.session)
        return None if bar is None else bar.open_price

    def _is_fractionable(self, ticker: str) -> bool:
        listing = self._market.listing(ticker, self._step.session)
        return listing is not None and listing.fractionable

    def _delist(self, ticker: str) -> None:
        self._account, movements = apply_delisting(self._account, ticker)
        self._record(movements)
        for order in self._orders_in(ticker):
            self._end(order, OrderStatus.CANCELED)

    def _orders_in(self, ticker: str) -> list[Order]:
        return [order for order in self._open_orders.values() if order.ticker == ticker]

    def _run_auction(self) -> None:
        found = ((ticker, self._market.bar(ticker, self._step.session)) for ticker in self._concerned_tickers())
        bars = {ticker: bar for ticker, bar in found if bar is not None}
        orders, multiple = list(self._open_orders.values()), float(self._cost_multiple)
        if any(order.order_class is not OrderClass.SIMPLE for order in orders):
            later = later_exits(orders, bars, self._step)
            orders = [order for order in orders if order.sequence not in later]
        for execution in match_orders(orders, bars, self._step, self._allowed_quantity, multiple):
            self._fill(execution)
        self._move_stops(bars)
        self._account = apply_marks(self._account, {ticker: self._auction_price(bar) for ticker, bar in bars.items()})

    def _move_stops(self, bars: Mapping[str, Bar]) -> None:
        """Stops that were triggered stay so, and trailing stops stay where the session's prices moved them."""
        for order in list(self._open_orders.values()):
            bar = bars.get(order.ticker)
            if order.stop_price is None or order.is_waiting or bar is None or not order.awaits_stop:
                continue
            moved = walk_stop(order, bar, self._step).order
            if moved != order:
                status = OrderStatus.NEW if moved.triggered_at and order.status is OrderStatus.HELD else order.status
                self._put(replace(moved, status=status, updated_at=self._step.timestamp))

    def _auction_price(self, bar: Bar) -> Decimal:
        return bar.open_price if self._step.auction is Auction.OPEN else bar.close_price

    def _allowed_quantity(self, order: Order, quantity: Decimal) -> Decimal:
        """A sale for dollars takes no more shares than there are; a fault may cut any fill to a share of itself."""
        if not order.position_intent.opens:
            quantity = min(quantity, abs(self._account.quantity_of(order.ticker)))
        fault = self._faults.take(MarketFaultKind.PARTIAL_FILL, order.ticker)
        return quantity if fault is None or fault.share is None else quantity * fault.share

    def _fill(self, execution: Execution) -> None:
        order, signed = execution.order, execution.order.side.sign * execution.quantity
        previous_close = self._previous_close(execution)
        self._account = apply_fill(self._account, order.ticker, signed, execution.price, previous_close)
        filled, fill = fill_order(order, execution.quantity, execution.price, self._step.timestamp)
        self._put(filled)
        self._follow(filled)
        self._append(fill)
        self._trades.append(Trade(order.side, execution.quantity, execution.price))

    def _previous_close(self, execution: Execution) -> Decimal:
        bar = self._market.bar(execution.order.ticker, previous_session(self._step.session))
        return execution.reference_price if bar is None else bar.close_price

    def _end(self, order: Order, status: OrderStatus) -> None:
        """Ends an order and those that end with it; one that ended with another already stays as it is."""
        if order.sequence not in self._open_orders:
            return
        ended = end_order(order, status, self._step.timestamp)
        self._put(ended)
        self._follow(ended)

    def _follow(self, order: Order) -> None:
        for other in follow_order(order, self._open_orders, self._step.timestamp):
            self._put(other)

    def _put(self, order: Order) -> None:
        self._changed[order.sequence] = order
        if order.is_open:
            self._open_orders[order.sequence] = order
        else:
            self._open_orders.pop(order.sequence, None)

    def _charge(self) -> None:
        self._account, fees = charge_fees(self._account, self._trades, self._step.session, self._cost_multiple)
        self._trades.clear()
        nights = (next_session(self._step.session) - self._step.session).days
        self._account, borrow = charge_borrow(self._account, self._borrow_rates(), nights, self._cost_multiple)
        self._account, interest = charge_interest(self._account, nights, self._cost_multiple)
        self._record([*fees, *borrow, *interest])

    def _borrow_rates(self) -> dict[str, Decimal]:
        shorts = (ticker for ticker, held in self._account.positions.items() if held.quantity < 0)
        listings = (self._market.listing(ticker, self._step.session) for ticker in shorts)
        return {listing.ticker: decimal_of(listing.borrow_rate) for listing in listings if listing is not None}

    def _record(self, movements: Iterable[Movement]) -> None:
        for movement in movements:
            self._append(movement)

    def _append(self, entry: Fill | Movement) -> None:
        number = self._before.last_row + len(self._history) + 1
        self._history.append(HistoryRow(number, self._step.session, self._step.timestamp, entry))
