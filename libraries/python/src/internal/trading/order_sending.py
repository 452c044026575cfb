"""Sending the planned orders of a run: the one place through which every order of the fund goes to the broker."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial

from internal.dates import last_closed_session
from internal.errors import ConflictError, UnresolvedOrderError
from internal.trading.enums import OrderState
from internal.trading.limit_kinds import LimitCut
from internal.trading.order_guard import LimitError, OrderGuard
from internal.trading.order_planning import is_flatten
from internal.trading.order_submission import OrderSubmitter, record_answer
from internal.trading.orders import Order
from internal.trading.ports import RefusedOrderError, SuspendedAccountError, TradingPorts
from internal.trading.send_permission import OpeningRefusedError, require_open_gate, require_permission


class SessionEndedError(ConflictError):
    """The session after the run's own has closed: what was not sent must not be sent a session late."""


class OrderSender:
    """Sends orders of one run that the journal has, and writes down what became of each.

    Args:
        ports: The ports of the fund.
        day: The session of the run.
        account_number: The broker's account, which a live one must be armed for.
        moment: The market's clock.
        ask_first: Orders may have been sent before, so that the broker is asked about each one.
    """

    def __init__(
        self, ports: TradingPorts, day: date, account_number: str, moment: datetime, *, ask_first: bool
    ) -> None:
        self._ports, self._day, self._moment, self._ask_first = ports, day, moment, ask_first
        self._account_number = account_number
        self.submitter = OrderSubmitter(ports.broker, ports.pause)
        self.over_limits: list[LimitCut] = []  # what a limit kept from being sent
        self.refused: list[Order] = []  # dropped, because the trading state lets nothing be opened

    def save(self, orders: Sequence[Order]) -> None:
        """Only the holder of the lease writes: another one may have gone on with the run, and asks the broker."""
        self._ports.lease.require()
        self._ports.journal.save_orders(orders)

    def send(self, orders: Sequence[Order], guard: OrderGuard | None = None) -> None:
        """Send the orders in turn; what is known of them is written down in one commit, also when it stops midway.

        guard: Checks each order against the limits; closing all positions has none, for no decision names its orders.
        Raises UnresolvedOrderError, UnavailableError, SuspendedAccountError, TradingHaltedError or SessionEndedError.
        """
        changed: list[Order] = []
        try:
            for order in orders:
                after = self._send_one(order, guard)
                if guard is not None:
                    guard.record(after)
                if after != order:
                    changed.append(after)
                if after.state is OrderState.UNRESOLVED:
                    raise UnresolvedOrderError(after.reason)
        finally:
            if changed:
                self.save(changed)

    def _send_one(self, order: Order, guard: OrderGuard | None) -> Order:
        permit = partial(self._require_permission, order, guard)
        try:
            found = self.submitter.send(order, permit, ask_first=self._ask_first)
        except LimitError as error:
            self.over_limits.append(LimitCut(order.ticker, error.limit))
            reason = f"over the limit {error.limit}: {error.detail}"
            return replace(order, state=OrderState.DROPPED, reason=reason, updated_at=self._moment)
        except OpeningRefusedError as error:
            self.refused.append(replace(order, state=OrderState.DROPPED, reason=error.detail, updated_at=self._moment))
            return self.refused[-1]
        except RefusedOrderError as error:
            self._require_trading_account(error)
            return replace(order, state=OrderState.REJECTED, reason=f"refused: {error.detail}", updated_at=self._moment)
        except UnresolvedOrderError as error:
            return replace(order, state=OrderState.UNRESOLVED, reason=error.detail, updated_at=self._moment)
        return record_answer(order, found, self._moment)

    def _require_permission(self, order: Order, guard: OrderGuard | None) -> None:
        """Before each send: a process that slept may wake after the next close, without the lease, halted or unarmed.

        Raises OpeningRefusedError or LimitError for an order that is never to be sent.
        """
        moment = self._ports.broker.moment()
        self._ports.lease.require()
        if last_closed_session(moment) > self._day:
            raise SessionEndedError(f"the session after {self._day} has closed; its unsent orders are dropped")
        require_permission(self._ports.journal.trading_state(), order)
        if self._ports.gate is not None and not is_flatten(order.portfolio_id):
            require_open_gate(self._ports.gate.find_end(self._account_number, moment), order)
        if guard is not None:
            guard.check(order)

    def _require_trading_account(self, refusal: RefusedOrderError) -> None:
        """After a refusal: where the account itself is halted, the refusal was not about this order."""
        halted = self._ports.broker.account().halted
        if halted is not None:
            raise SuspendedAccountError(
                f"{halted} ({refusal.detail}); what was not sent stays planned, POST again when trading is switched on"
            )
