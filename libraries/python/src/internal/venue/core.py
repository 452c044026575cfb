"""The venue: one account that trades on one market, moved by requests and by the steps of its clock."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from threading import Lock

from internal.errors import InvalidRequestError
from internal.venue import rejections
from internal.venue.account_settings import AccountSettings
from internal.venue.cash_transfer import make_transfer
from internal.venue.clock import Auction, ExchangeClock, Step, next_step, steps_between
from internal.venue.history import HistoryRow, Movement
from internal.venue.margin_account import buying_power
from internal.venue.market.protocol import Market
from internal.venue.market_faults import FaultSchedule, MarketFaultKind
from internal.venue.money import ONE
from internal.venue.order_entry import accept_order, mark_replaced, replace_order
from internal.venue.order_groups import end_order, follow_order, follow_replacement, make_exits
from internal.venue.orders import Order, OrderChanges, OrderClass, OrderRequest, OrderStatus, Side
from internal.venue.rejections import RequestRefusedError
from internal.venue.repository import VenueRepository
from internal.venue.session_processing import process_step
from internal.venue.state import VenueChange, VenueState


class ExchangeCore:
    """Carries out requests and steps one at a time: each change is stored whole before the state moves on.

    Args:
        state: The stored state to go on from, or a fresh account (`open_account`).
        market: The prices.
        repository: Where every change is stored; when that fails, the state stays as it was.
        cost_multiple: What slippage, fees and borrow cost are multiplied by.
        on_change: Called with each change after it was stored, in the thread that made it; it must not fail or wait.
    """

    def __init__(
        self,
        state: VenueState,
        market: Market,
        repository: VenueRepository,
        cost_multiple: Decimal = ONE,
        on_change: Callable[[VenueChange], None] | None = None,
    ) -> None:
        self._state = state
        self._market = market
        self._repository = repository
        self._cost_multiple = cost_multiple
        self._on_change = on_change
        self._lock = Lock()

    @property
    def state(self) -> VenueState:
        """The venue's present state; a value that later requests do not change."""
        return self._state

    @property
    def clock(self) -> ExchangeClock:
        """The clock at its present moment."""
        return ExchangeClock(self._state.moment)

    def submit(self, request: OrderRequest) -> Order:
        """Accepts an order durably. Raises RequestRefusedError."""
        with self._lock:
            faults = FaultSchedule(self._repository.market_faults() if request.side is Side.SELL else ())
            refused = self._is_borrow_refused(request, faults)
            try:
                order = self._accept(request, borrow_refused=refused)
            except RequestRefusedError:
                if faults.used:  # a fault is used up by the order that it struck, whatever else was wrong with it
                    self._store(VenueChange(self._state, self._state, used_faults=tuple(faults.used)))
                raise
            exits = () if request.order_class is OrderClass.SIMPLE else make_exits(self._account_id, order, request)
            self._put(order, *exits, used_faults=tuple(faults.used))
            return order

    def cancel(self, order_id: str) -> Order:
        """Cancels an open order. Raises RequestRefusedError when there is none, or when it is done already."""
        with self._lock:
            order = self._find(order_id)
            if not order.is_open:
                raise rejections.unprocessable(f'order is already in "{order.status}" state')
            moment = max(self._state.moment, order.submitted_at)
            canceled = end_order(order, OrderStatus.CANCELED, moment)
            self._put(canceled, *follow_order(canceled, self._state.open_orders, moment))
            return canceled

    def cancel_all(self) -> list[Order]:
        """Cancels every open order."""
        with self._lock:
            orders, now = self._state.open_orders.values(), self._state.moment
            canceled = [end_order(one, OrderStatus.CANCELED, max(now, one.submitted_at)) for one in orders]
            self._put(*canceled)
            return canceled

    def replace(self, order_id: str, changes: OrderChanges) -> Order:
        """Puts a new order in the place of an open, unfilled one; what `changes` leaves out stays."""
        with self._lock:
            old = self._find(order_id)
            if not old.is_open or old.filled_quantity:
                raise rejections.unprocessable(f'cannot replace order in "{old.status}" state')
            self._require_new_name(changes.client_order_id)
            new = replace_order(self._state, self._market, old, changes)
            replaced = mark_replaced(old, new)
            self._put(new, replaced, *follow_replacement(old, new, self._state.open_orders))
            return new

    def charge(self, movement: Movement) -> None:
        """Charges the account at once, durably. Raises RequestRefusedError where it cannot pay."""
        with self._lock:
            before = self._state
            power = buying_power(before.account, before.open_orders.values(), before.settings.margin_multiplier)
            if -movement.net_amount > power:
                raise rejections.insufficient_buying_power(power, -movement.net_amount)
            row = HistoryRow(before.last_row + 1, self.clock.reading().session, before.moment, movement)
            account = before.account.with_cash(movement.net_amount)
            after = replace(before, account=account, last_row=before.last_row + 1)
            self._store(VenueChange(before, after, history=(row,)))

    def change_settings(self, changes: Mapping[str, object]) -> AccountSettings:
        """Changes the named settings; their values must fit `AccountSettings`."""
        with self._lock:
            settings = replace(self._state.settings, **changes)
            self._store(VenueChange(self._state, replace(self._state, settings=settings)))
            return settings

    def transfer_cash(self, amount: Decimal) -> HistoryRow:
        """Books a deposit (positive) or a withdrawal a millisecond later than the clock, which moves there.

        Raises InvalidRequestError for no amount, a fraction of a cent, or more than can be withdrawn: at most the cash,
        and what leaves the equity that the positions need.
        """
        with self._lock:
            change = make_transfer(self._state, amount)
            self._store(change)
            return change.history[0]

    def next_stop(self, auction: Auction) -> datetime:
        """The next open or close. Raises ConflictError at the market's end."""
        return next_step(self._state.moment, auction, self._market.sessions())

    def steps_to(self, moment: datetime) -> list[Step]:
        """The opens and closes up to the moment.

        Raises InvalidRequestError for a moment that has passed, ConflictError for one after the market's end.
        """
        now = self._state.moment
        if moment < now:
            raise InvalidRequestError(
                f"The clock is at {now.isoformat()} and only moves forward; {moment.isoformat()} has passed."
            )
        return steps_between(now, moment, self._market.sessions())

    def step(self, step: Step) -> None:
        """Carries a session's open or close out, once: a step that the clock has passed changes nothing."""
        with self._lock:
            if step.timestamp > self._state.moment:
                faults = FaultSchedule(self._repository.market_faults())
                self._store(process_step(self._state, self._market, step, faults, self._cost_multiple))

    def rest_at(self, moment: datetime) -> None:
        """Moves the clock on to a moment between two steps."""
        with self._lock:
            if moment > self._state.moment:
                self._store(VenueChange(self._state, replace(self._state, moment=moment)))

    @property
    def _account_id(self) -> str:
        return self._state.identity.account_id

    def _accept(self, request: OrderRequest, *, borrow_refused: bool) -> Order:
        self._require_new_name(request.client_order_id)
        return accept_order(self._state, self._market, request, borrow_refused=borrow_refused)

    def _require_new_name(self, client_order_id: str | None) -> None:
        if client_order_id is not None and self._repository.order_by_client_id(client_order_id) is not None:
            raise rejections.duplicate_client_order_id()

    def _is_borrow_refused(self, request: OrderRequest, faults: FaultSchedule) -> bool:
        if request.side is Side.BUY or self._state.account.quantity_of(request.ticker) > 0:
            return False
        return faults.take(MarketFaultKind.REFUSED_SHORT, request.ticker) is not None

    def _find(self, order_id: str) -> Order:
        order = self._repository.order(order_id)
        if order is None:
            raise rejections.not_found(f"order not found for {order_id}")
        return order

    def _put(self, *orders: Order, used_faults: tuple[int, ...] = ()) -> None:
        after = self._state
        for order in orders:
            after = after.with_order(order)
        self._store(VenueChange(self._state, after, orders=orders, used_faults=used_faults))

    def _store(self, change: VenueChange) -> None:
        self._repository.store(change)
        self._state = change.after
        if self._on_change is not None:
            self._on_change(change)


def open_venue(
    market: Market,
    repository: VenueRepository,
    fresh: VenueState,
    cost_multiple: Decimal = ONE,
    on_change: Callable[[VenueChange], None] | None = None,
) -> ExchangeCore:
    """The venue on what the repository holds; where that is nothing, on a fresh account, which is stored first."""
    stored = repository.load()
    if stored is None:
        repository.store(VenueChange(None, fresh))
    return ExchangeCore(fresh if stored is None else stored, market, repository, cost_multiple, on_change)
