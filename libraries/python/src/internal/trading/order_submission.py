"""Sending one order until its fate is known, asking about it and canceling it, all under one retry policy."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from internal.errors import UnavailableError, UnresolvedOrderError, UpstreamError
from internal.trading.ports import Broker, Pause, RateLimitedError
from internal.trading.rows import BrokerOrder, Order, OrderRequest

ATTEMPTS = 4  # sends of one order, each under the same id, each after the broker was asked about the one before
FIRST_PAUSE = 0.2  # seconds
LONGEST_PAUSE = 8.0  # seconds


def record_answer(order: Order, found: BrokerOrder, moment: datetime) -> Order:
    """The order with what the broker's answer says; the same object where it says nothing new.

    Fills are the broker's running totals, so that recording one twice changes nothing. An order whose quantity a split
    changed at the broker takes the broker's quantity, and its reference price follows: its dollars stay what they were.
    """
    ratio = found.quantity / order.quantity
    price = order.filled_average_price if found.filled_average_price is None else found.filled_average_price
    after = replace(
        order,
        state=found.state,
        broker_order_id=found.broker_order_id,
        quantity=order.quantity * ratio,
        reference_price=order.reference_price / ratio,
        filled_quantity=found.filled_quantity,
        filled_average_price=price,
    )
    return order if after == order else replace(after, updated_at=moment)


class OrderSubmitter:
    """Sends, finds and cancels orders at the broker; it pauses between attempts and never guesses."""

    def __init__(self, broker: Broker, pause: Pause) -> None:
        self._broker, self._pause = broker, pause

    def send(self, order: Order, permit: Callable[[], None], *, ask_first: bool) -> BrokerOrder:
        """Send an order until its fate is known.

        `permit` is called before each send and raises when nothing may be sent any more. With `ask_first` (the order
        may have been sent before) the broker is asked first, and so it is after each answer that was lost: an order
        that it does not know goes out again under its old id, which the broker takes once.

        Raises RefusedOrderError or SuspendedAccountError (the order does not exist), UnresolvedOrderError (nobody
        knows) or UnavailableError (it was not sent).
        """
        uncertain, trouble = ask_first, None
        for attempt in range(ATTEMPTS + 1):
            self._wait(attempt, trouble)
            if uncertain:
                try:
                    found = self._broker.order(order.client_order_id)
                except (UpstreamError, UnavailableError) as error:
                    trouble = error
                    continue
                if found is not None:
                    return found
                uncertain = False
            if attempt == ATTEMPTS:
                break
            permit()
            try:
                return self._broker.submit(_request(order))
            except UnresolvedOrderError as error:
                uncertain, trouble = True, error
            except UnavailableError as error:
                trouble = error
        if isinstance(trouble, UnavailableError) and not uncertain:
            raise trouble
        raise _unresolved(order)

    def find(self, client_order_id: str) -> BrokerOrder | None:
        """The order under that id, None when the broker has none; asked again while the broker does not answer."""
        trouble: UpstreamError | UnavailableError | None = None
        for attempt in range(ATTEMPTS):
            self._wait(attempt, trouble)
            try:
                return self._broker.order(client_order_id)
            except (UpstreamError, UnavailableError) as error:
                trouble = error
        raise trouble or UnavailableError(f"nobody said what became of {client_order_id}")

    def cancel(self, order: Order) -> BrokerOrder:
        """Cancel the rest of an order that was sent, and wait until it is final.

        Raises UnavailableError when the broker has not confirmed it after several questions.
        """
        for attempt in range(ATTEMPTS):
            self._wait(attempt, None)
            found = self.find(order.client_order_id)
            if found is not None and found.state.is_final:
                return found
            if attempt == 0 and found is not None:
                self._broker.cancel(found.broker_order_id)
        raise UnavailableError(
            f"the broker has not confirmed that {order.client_order_id} is canceled; POST again when it answers"
        )

    def _wait(self, attempt: int, trouble: Exception | None) -> None:
        if attempt == 0:
            return
        asked = trouble.retry_after if isinstance(trouble, RateLimitedError) else 0.0
        self._pause(max(asked, min(FIRST_PAUSE * 2 ** (attempt - 1), LONGEST_PAUSE)))


def _request(order: Order) -> OrderRequest:
    return OrderRequest(order.client_order_id, order.ticker, order.side, order.quantity, order.time_in_force)


def _unresolved(order: Order) -> UnresolvedOrderError:
    return UnresolvedOrderError(
        f"the {order.side} of {order.quantity:g} {order.ticker} may or may not be at the broker "
        f"({order.client_order_id}); POST again when it answers: it is asked before anything is sent"
    )
