"""Executing a planned run: closes, shorts, longs, within buying power, with both sides kept equal when orders fail."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property

from internal.trading.actions_since import fetch_ratios_since
from internal.trading.broker_reports import Account
from internal.trading.buying_power import scale_openings, select_affordable, total_cost
from internal.trading.entries import EntryMemory
from internal.trading.enums import Action, Leg, OrderState, RunState, Side
from internal.trading.held_closes import find_unheld
from internal.trading.limit_kinds import LimitCut
from internal.trading.limits import RiskLimits
from internal.trading.order_guard import OrderGuard
from internal.trading.order_planning import apply_orders
from internal.trading.order_sending import OrderSender
from internal.trading.order_submission import record_answer
from internal.trading.orders import Order
from internal.trading.own_holdings import find_own_holdings
from internal.trading.portfolio import Portfolio, PortfolioRow
from internal.trading.ports import TradingPorts
from internal.trading.runs import RebalanceRun
from internal.trading.shortfalls import (
    adjust_to_shortfall,
    describe_shortfalls,
    is_held_back,
    orders_to_cancel,
    settle_filled_replacements,
)

ROUNDS = 4  # adjustments after everything was sent; each makes the run smaller, so that it ends earlier
WAITING_MARGIN = 1.05  # openings that waited meet today's prices, up to this much above the close they were sized at
CHANGED = "corporate action since it was decided"
NOT_HELD = "not sent: the fund no longer holds these shares"
WAITS = "openings wait for the buying power that the closes free when they fill"


class RunExecution:
    """One attempt at sending a run; whatever it learns is journalled, also when it is stopped midway."""

    def __init__(  # noqa: PLR0913 - what is sent, for whom, when
        self,
        ports: TradingPorts,
        limits: RiskLimits,
        run: RebalanceRun,
        account: Account,
        moment: datetime,
        *,
        ask_first: bool,
    ) -> None:
        """`ask_first`: orders may have been sent before, so that the broker is asked about each one."""
        self._ports, self._limits, self._run, self._account = ports, limits, run, account
        self._moment, self._ask_first = moment, ask_first
        self._sender = OrderSender(ports, run.date, account.account_number, moment, ask_first=ask_first)
        self._waiting: frozenset[str] = frozenset()

    def execute(self) -> RebalanceRun:
        """Send what was not sent yet: the run is submitted then, or waits for the money of its closes.

        Each group of sends is one commit. Raises UnresolvedOrderError, UnavailableError, SuspendedAccountError or
        SessionEndedError where it stops; what was not sent stays planned. What the trading state refuses is dropped.
        """
        self._cancel_replaced()
        self._drop_changed()
        self._drop_unheld()
        self._waiting = self._choose_waiting()
        self._send([*self._unsent_closes(), *self._unsent_openings(Side.SHORT)])
        self._adjust()
        self._cancel_replaced()
        self._send([*self._unsent_closes(), *self._unsent_openings(Side.SHORT), *self._unsent_openings(Side.LONG)])
        for _ in range(ROUNDS):
            if not self._adjust():
                break
            self._cancel_replaced()
            self._send([*self._unsent_closes(), *self._unsent_openings(*Side)])
        return self._finish()

    @property
    def refused(self) -> Sequence[LimitCut]:
        """Orders that a limit kept from being sent."""
        return self._sender.over_limits

    def _orders(self) -> Sequence[Order]:
        return self._ports.journal.of(self._run.portfolio_id)

    @cached_property
    def _portfolio(self) -> Portfolio | None:
        """The decided portfolio, read once: only `_finish` changes it."""
        return self._ports.portfolios.find(self._run.portfolio_id)

    def _rows(self) -> tuple[PortfolioRow, ...]:
        return () if self._portfolio is None else self._portfolio.rows

    def _unsent_closes(self) -> list[Order]:
        return [order for order in self._orders() if order.state.is_sendable and order.leg is Leg.CLOSE]

    def _unsent_openings(self, *sides: Side) -> list[Order]:
        orders = self._orders()
        return [
            order
            for order in orders
            if order.state.is_sendable
            and order.leg.opens
            and order.position_side in sides
            and order.client_order_id not in self._waiting
            and not is_held_back(order, orders)
        ]

    def _choose_waiting(self) -> frozenset[str]:
        """The openings that buying power does not carry yet; without a close to wait for, all are made to fit."""
        openings = [order for order in self._unsent_openings(*Side) if order.state is OrderState.PLANNED]
        margin = WAITING_MARGIN if self._run.state is RunState.WAITING else 1.0
        power = self._buying_power() / margin
        if not openings or total_cost(openings) <= power:
            return frozenset()
        if any(order.leg is Leg.CLOSE and not order.state.is_final for order in self._orders()):
            now = select_affordable(openings, power, self._side_values(openings), self._limits.balance_tolerance)
            return frozenset(order.client_order_id for order in openings) - {order.client_order_id for order in now}
        self._sender.save(scale_openings(openings, power, self._moment))
        return frozenset()

    def _buying_power(self) -> float:
        """The account's, read again where orders of this run may hold a part of it."""
        account = self._ports.broker.account() if self._ask_first else self._account
        return account.buying_power

    def _side_values(self, unsent: Sequence[Order]) -> dict[Side, float]:
        """Dollars that each side holds when its closes have filled, without the unsent openings."""
        ids = {order.client_order_id for order in unsent}
        values = dict.fromkeys(Side, 0.0)
        for row in self._rows():
            values[row.side] += row.kept_dollars if row.action is Action.HOLD else 0.0
        for order in self._orders():
            if order.leg.opens and order.client_order_id not in ids:
                shares = order.filled_quantity if order.state.is_final else order.quantity
                values[order.position_side] += shares * order.reference_price
        return values

    def _adjust(self) -> bool:
        """Make the sides equal again when orders failed; whether there was something to change."""
        changed = adjust_to_shortfall(
            self._orders(), self._rows(), self._account.account_id, self._limits, self._moment
        )
        if changed:
            self._sender.save(changed)
            self._drop_changed()
            self._drop_unheld()
        return bool(changed)

    @cached_property
    def _changed(self) -> Collection[str]:
        """Names that a corporate action has changed since the close that the run was decided at."""
        return fetch_ratios_since(self._ports.data, self._run.date, self._moment).keys()

    def _drop_changed(self) -> None:
        """Drop the unsent orders of names that an action has changed since: their shares and prices are old ones."""
        unsent = [order for order in self._orders() if order.state.is_sendable]
        if dropped := [self._drop_unless_sent(order, CHANGED) for order in unsent if order.ticker in self._changed]:
            self._sender.save(dropped)

    def _drop_unheld(self) -> None:
        """Drop the unsent closes of shares that were sold while the run was stopped: they would open a position."""
        closes = self._unsent_closes() if self._ask_first else []
        if not closes:
            return
        own = find_own_holdings(self._ports, self._moment, EntryMemory()).shares
        if dropped := [self._drop_unless_sent(one, NOT_HELD) for one in find_unheld(closes, self._orders(), own)]:
            self._sender.save(dropped)

    def _drop_unless_sent(self, order: Order, reason: str) -> Order:
        """The order as dropped, or as the broker has it, which converted it itself."""
        found = self._sender.submitter.find(order.client_order_id) if self._ask_first else None
        if found is not None:
            return record_answer(order, found, self._moment)
        return replace(order, state=OrderState.DROPPED, reason=reason, updated_at=self._moment)

    def _cancel_replaced(self) -> None:
        """Cancel the orders that smaller ones replace, before those are sent."""
        canceled: list[Order] = []
        try:
            for order in orders_to_cancel(self._orders()):
                self._ports.lease.require()
                canceled.append(record_answer(order, self._sender.submitter.cancel(order), self._moment))
        finally:
            if canceled:
                self._sender.save(canceled)
        if settled := settle_filled_replacements(self._orders(), self._moment):
            self._sender.save(settled)

    def _send(self, orders: Sequence[Order]) -> None:
        if orders:
            guard = OrderGuard(self._limits, self._account.net_asset_value, self._rows(), self._orders())
            self._sender.send(orders, guard)

    def _finish(self) -> RebalanceRun:
        """Write down what the orders leave of the portfolio, then the run's state."""
        orders, portfolio = self._orders(), self._portfolio
        if portfolio is not None and (rows := apply_orders(portfolio.rows, orders)) != portfolio.rows:
            self._ports.portfolios.save(replace(portfolio, rows=rows))
        waits = any(order.state.is_sendable for order in orders)
        refused = [
            *(f"{cut.ticker} was not sent, over the limit {cut.limit}" for cut in self.refused),
            *_describe_openings(self._sender.refused),
        ]
        notes = [*describe_shortfalls(orders), *self._describe_changed(orders), *refused, *([WAITS] if waits else [])]
        finished = replace(
            self._run,
            state=RunState.WAITING if waits else RunState.SUBMITTED,
            updated_at=self._moment,
            notes=(*self._run.notes, *(note for note in notes if note not in self._run.notes)),
            lease_number=self._ports.lease.require(),
        )
        self._ports.journal.save_runs([finished])
        return finished

    def _describe_changed(self, orders: Sequence[Order]) -> list[str]:
        dropped = [order for order in orders if order.state is OrderState.DROPPED and order.ticker in self._changed]
        return [f"not sent, {CHANGED}: {', '.join(sorted({order.ticker for order in dropped}))}"] if dropped else []


def _describe_openings(refused: Sequence[Order]) -> list[str]:
    """A note for each reason for which openings were not sent."""
    reasons = sorted({order.reason for order in refused})
    return [f"{', '.join(one.ticker for one in refused if one.reason == reason)} {reason}" for reason in reasons]
