"""Sending one order until its fate is known, asking about it and canceling it, all under one retry policy."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from internal.errors import FundError, UnavailableError, UnresolvedOrderError, UpstreamError
from internal.retries import RetryPolicy, TransientError
from internal.trading.broker_reports import BrokerOrder
from internal.trading.orders import Order, OrderRequest
from internal.trading.ports import Broker, Pause, RateLimitedError
from internal.trading.replacements import find_order

RETRIES = RetryPolicy()


def record_answer(order: Order, found: BrokerOrder, moment: datetime) -> Order:
    """The order with what the broker's answer says; the same object where it says nothing new.

    Fills are the broker's running totals, so that recording one twice changes nothing. An order whose quantity a split
    changed at the broker takes the broker's quantity, and its reference price follows: its dollars stay what they were.
    The price stays where somebody replaced the order by one of another quantity.
    """
    price = order.filled_average_price if found.filled_average_price is None else found.filled_average_price
    if (found.state, found.broker_order_id, found.quantity, found.filled_quantity, price) == (
        order.state,
        order.broker_order_id,
        order.quantity,
        order.filled_quantity,
        order.filled_average_price,
    ):
        return order
    replaced = order.broker_order_id not in {None, found.broker_order_id}
    ratio = 1.0 if replaced else found.quantity / order.quantity
    return replace(
        order,
        state=found.state,
        broker_order_id=found.broker_order_id,
        quantity=found.quantity,
        reference_price=order.reference_price / ratio,
        filled_quantity=found.filled_quantity,
        filled_average_price=price,
        updated_at=moment,
        asset_id=found.asset_id or order.asset_id,
    )


class OrderSubmitter:
    """Sends, finds and cancels orders at the broker; it pauses between attempts and never guesses."""

    def __init__(self, broker: Broker, pause: Pause) -> None:
        self._broker, self._pause = broker, pause

    def send(self, order: Order, permit: Callable[[], None], *, ask_first: bool) -> BrokerOrder:
        """Send an order until its fate is known.

        `permit` is called before each send and raises when nothing may be sent any more. With `ask_first` (the order
        may have been sent before) the broker is asked first, and so it is after each answer that was lost: an order
        that it does not know goes out again under its old id, which the broker takes once.

        Raises RefusedOrderError (the order does not exist), UnresolvedOrderError (its fate is unknown) or
        RateLimitedError (it was not sent).
        """
        return RETRIES.call(_Send(self._broker, order, permit, uncertain=ask_first).attempt, self._pause)

    def find(self, client_order_id: str) -> BrokerOrder | None:
        """The order under that id, None when the broker has none; asked again while the broker does not answer."""
        return RETRIES.call(lambda: self._find_once(client_order_id), self._pause)

    def cancel(self, order: Order) -> BrokerOrder:
        """Cancel the rest of an order that was sent, and wait until it is final.

        Raises UnavailableError when the broker has not confirmed it after several questions.
        """
        return RETRIES.call(lambda: self._cancel_once(order), self._pause)

    def _find_once(self, client_order_id: str) -> BrokerOrder | None:
        try:
            return find_order(self._broker, client_order_id)
        except (UpstreamError, UnavailableError) as error:
            raise TransientError(error, _requested_pause(error)) from error

    def _cancel_once(self, order: Order) -> BrokerOrder:
        found = self._find_once(order.client_order_id)
        if found is not None and found.state.is_final:
            return found
        unconfirmed = TransientError(
            UnavailableError(
                f"the broker has not confirmed that {order.client_order_id} is canceled; POST again when it answers"
            )
        )
        if found is not None:
            try:
                self._broker.cancel(found.broker_order_id)
            except (UpstreamError, UnavailableError) as error:
                raise unconfirmed from error
        raise unconfirmed


class _Send:
    """The attempts at sending one order; `uncertain` while it may be at the broker already."""

    def __init__(self, broker: Broker, order: Order, permit: Callable[[], None], *, uncertain: bool) -> None:
        self._broker, self._order, self._permit, self._uncertain = broker, order, permit, uncertain

    def attempt(self) -> BrokerOrder:
        """Send once, unless the broker has the order."""
        if (found := self._look_up()) is not None:
            return found
        self._permit()
        try:
            return self._broker.submit(_request(self._order))
        except RateLimitedError as error:
            raise TransientError(error, error.retry_after) from error
        except UnresolvedOrderError as error:
            self._uncertain = True
            if (found := self._look_up()) is not None:
                return found
            raise TransientError(_unresolved(self._order)) from error

    def _look_up(self) -> BrokerOrder | None:
        """The order at the broker; a broker that cannot say leaves it unresolved."""
        if not self._uncertain:
            return None
        try:
            found = find_order(self._broker, self._order.client_order_id)
        except (UpstreamError, UnavailableError) as error:
            raise TransientError(_unresolved(self._order), _requested_pause(error)) from error
        self._uncertain = found is not None
        return found


def _requested_pause(error: FundError) -> float | None:
    """Seconds that the broker asks to wait, if it limits requests."""
    return error.retry_after if isinstance(error, RateLimitedError) else None


def _request(order: Order) -> OrderRequest:
    return OrderRequest(order.client_order_id, order.ticker, order.side, order.quantity, order.time_in_force)


def _unresolved(order: Order) -> UnresolvedOrderError:
    return UnresolvedOrderError(
        f"the {order.side} of {order.quantity:g} {order.ticker} may or may not be at the broker "
        f"({order.client_order_id}); POST again when it answers: it is asked before anything is sent"
    )
