"""Flattening: closing everything that is the fund's, once, through the journal, and nothing that somebody else holds.

It is asked for by the trading state (`TradingStateChange.flattens`), which is stored before anything else, so that a
process that was killed anywhere goes on after its restart. Nothing here depends on what a former attempt remembers.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count, takewhile

from internal.dates import last_closed_session
from internal.errors import FundError, UnresolvedOrderError
from internal.trading.broker_reports import Account
from internal.trading.entries import EntryMemory
from internal.trading.enums import Leg, OrderState, RunState, Side
from internal.trading.held_closes import shares_to_close
from internal.trading.order_planning import (
    FLATTEN,
    client_order_id,
    is_flatten,
    list_decisions,
    order_side,
    portfolio_id,
    sendable_shares,
)
from internal.trading.order_sending import OrderSender, SessionEndedError
from internal.trading.order_submission import record_answer
from internal.trading.orders import Order
from internal.trading.own_holdings import OwnHoldings, find_own_holdings
from internal.trading.ports import TradingPorts
from internal.trading.runs import RebalanceRun
from internal.trading.trading_state import TradingStateChange

CLOSES = "all positions are closed"
OVERTAKEN = "not sent: all positions are closed"
OUTDATED = "not sent: the fund holds another number of shares by now"
ENDED = "not sent: closing all positions was ended"
NO_FORECASTS, NO_BARS = "none", -1  # of a run that no forecast and no bar entered
CHANGE = "trading_state_change"  # the parameter of a run that names the change which asked for it


class Flattening:
    """One attempt at closing everything; each is whole, and asked again it goes on where the journal ends.

    Args:
        ports: The ports of the fund.
        account: The account.
        moment: The market's clock.
        memory: What was computed of entries before.
    """

    def __init__(self, ports: TradingPorts, account: Account, moment: datetime, memory: EntryMemory) -> None:
        self._ports, self._account, self._moment, self._memory = ports, account, moment, memory
        self._day = last_closed_session(moment)
        self._identity = portfolio_id(FLATTEN, account.account_id, self._day)
        self._sender = OrderSender(ports, self._day, account.account_number, moment, ask_first=True)
        self._problem: FundError | None = None

    def go_on(self, change: TradingStateChange, *, again: bool) -> None:
        """Cancel the other orders, close what is held, and write down how far it is; after a reconciliation.

        `again`: names whose close was refused, or canceled at the broker, get another one in the same session.

        Raises UnavailableError or UnresolvedOrderError (asked again, it goes on), SuspendedAccountError (the broker
        takes no orders), TradingHaltedError (somebody ended it).
        """
        if not change.flattens:
            self._end()
            return
        self._end_decisions()
        holdings = self._plan(change, again=again)
        try:
            self._send([one for one in self._orders() if _may_send(one, holdings)])
        except SessionEndedError:
            return
        self._finish_run()
        if self._problem is not None:
            raise self._problem

    def _send(self, orders: Sequence[Order]) -> None:
        """Send the orders, those of unknown fate last; one that stays unknown keeps no other name from being closed."""
        left = _list_unsent(orders)
        while left:
            self._try_to_send(left)
            planned = {order.client_order_id for order in _list_unsent(self._orders())}
            left = [order for order in left if order.client_order_id in planned]
        for order in orders:
            if order.state is OrderState.UNRESOLVED:
                self._try_to_send([order])

    def _try_to_send(self, orders: Sequence[Order]) -> None:
        try:
            self._sender.send(orders)
        except UnresolvedOrderError as error:
            self._problem = error

    def cancel_others(self, change: TradingStateChange) -> None:
        """Cancel the orders of decisions where everything is to be closed; it needs the broker and the journal alone.

        Orders that the broker does not confirm as canceled are left for the next attempt.
        """
        if change.flattens:
            self._end_decisions()

    def _orders(self) -> Sequence[Order]:
        return self._ports.journal.of(self._identity)

    def _end_decisions(self) -> None:
        """Cancel or drop what decisions have left open, and end their runs: nothing goes on with them later."""
        ended: list[Order] = []
        try:
            for order in self._ports.journal.unfinished():
                after = order if is_flatten(order.portfolio_id) else self._end_order(order)
                if after is not order:
                    ended.append(after)
        finally:
            if ended:
                self._sender.save(ended)
        runs = list_decisions(self._ports.journal.open_runs())
        if changed := [after for run in runs if (after := self._end_run(run)) is not run]:
            self._ports.lease.require()
            self._ports.journal.save_runs(changed)

    def _end_order(self, order: Order) -> Order:
        """The order canceled at the broker, or dropped; an unresolved one is asked about as long as it may arrive.

        The broker is asked about a planned one too: a process that died may have sent it.
        """
        self._ports.lease.require()
        try:
            if order.broker_order_id is None and self._sender.submitter.find(order.client_order_id) is None:
                dropped = replace(order, state=OrderState.DROPPED, reason=OVERTAKEN, updated_at=self._moment)
                return dropped if order.state is OrderState.PLANNED else order
            return record_answer(order, self._sender.submitter.cancel(order), self._moment)
        except FundError as error:
            self._problem = error  # the other names are closed all the same
            return order

    def _end_run(self, run: RebalanceRun) -> RebalanceRun:
        left = any(not order.state.is_final for order in self._ports.journal.of(run.portfolio_id))
        state = RunState.SUBMITTED if left else RunState.RECONCILED
        if state is run.state:
            return run
        notes = run.notes if CLOSES in run.notes else (*run.notes, CLOSES)
        return replace(run, state=state, notes=notes, updated_at=self._moment)

    def _plan(self, change: TradingStateChange, *, again: bool) -> OwnHoldings:
        """Write down a close for each position of the fund's that has none under way; what the fund holds."""
        holdings = find_own_holdings(self._ports, self._moment, self._memory)
        self._drop_outdated(holdings)
        run = self._ports.journal.run(self._identity)
        is_new = run is not None and _change_number(run) != change.number  # asked for once more
        closes = [self._plan_close(ticker, holdings, again=again or is_new) for ticker in holdings.shares]
        if planned := [close for close in closes if close is not None]:
            self._sender.save(planned)
        if planned or is_new:
            self._save_run(run or self._new_run(), change, RunState.PLANNED)
        return holdings

    def _drop_outdated(self, holdings: OwnHoldings) -> None:
        """Drop the unsent closes of another number of shares than are held: somebody has traded since.

        A larger one that may be at the broker keeps its id and asks for what is held: the broker takes an id once.
        """
        unsent = _list_unsent(self._orders())
        self._drop([one for one in unsent if one.quantity != shares_to_close(one, holdings.shares)], OUTDATED)
        unresolved = [one for one in self._orders() if one.state is OrderState.UNRESOLVED and not one.broker_order_id]
        sizes = [(one, shares_to_close(one, holdings.shares)) for one in unresolved]
        if smaller := [replace(one, quantity=held) for one, held in sizes if 0 < held < one.quantity]:
            self._sender.save(smaller)

    def _drop(self, orders: Sequence[Order], reason: str) -> None:
        if orders:
            state = OrderState.DROPPED
            self._sender.save([replace(one, state=state, reason=reason, updated_at=self._moment) for one in orders])

    def _plan_close(self, ticker: str, holdings: OwnHoldings, *, again: bool) -> Order | None:
        """The new close of a name; None where one is under way."""
        side = Side.LONG if holdings.shares[ticker] > 0 else Side.SHORT
        quantity = sendable_shares(abs(holdings.shares[ticker]), side)
        before = self._closes(ticker)
        last = before[-1] if before else None
        if not quantity or self._is_busy(ticker, holdings) or _is_given_up(last, again=again):
            return None
        if last is not None and not last.state.is_final:
            return None
        return self._new_close(ticker, holdings, side, quantity, revision=len(before))

    def _closes(self, ticker: str) -> list[Order]:
        """The closes of a name in this session, in the order of their revisions."""
        account = self._account.account_id
        ids = (client_order_id(account, self._identity, ticker, Leg.CLOSE, revision) for revision in count())
        found = (self._ports.journal.order(identity) for identity in ids)
        return [order for order in takewhile(lambda order: order is not None, found) if order is not None]

    def _is_busy(self, ticker: str, holdings: OwnHoldings) -> bool:
        """Whether another order of the security is at the broker, also under its former ticker: it may still fill."""
        security, own = holdings.held[ticker].security_id, (self._identity, ticker)
        others = (one for one in self._ports.journal.unfinished() if (one.portfolio_id, one.ticker) != own)
        return any(one.broker_order_id and (one.security_id == security or one.ticker == ticker) for one in others)

    def _new_close(self, ticker: str, holdings: OwnHoldings, side: Side, quantity: float, revision: int) -> Order:
        position = holdings.positions[ticker]
        return Order(
            portfolio_id=self._identity,
            date=self._day,
            client_order_id=client_order_id(self._account.account_id, self._identity, ticker, Leg.CLOSE, revision),
            ticker=ticker,
            side=order_side(side, Leg.CLOSE),
            leg=Leg.CLOSE,
            quantity=quantity,
            reference_price=position.share_value or position.average_entry_price,
            reason=CLOSES,
            updated_at=self._moment,
            security_id=holdings.held[ticker].security_id,
            asset_id=position.asset_id,
        )

    def _new_run(self) -> RebalanceRun:
        return RebalanceRun(
            portfolio_id=self._identity,
            date=self._day,
            state=RunState.PLANNED,
            policy=FLATTEN,
            model_version=NO_FORECASTS,
            bars_version=NO_BARS,
            notes=(),
            created_at=self._moment,
            updated_at=self._moment,
        )

    def _save_run(self, run: RebalanceRun, change: TradingStateChange, state: RunState) -> None:
        note = f"{CLOSES}, asked for by {change.changed_by}: {change.reason}"
        after = replace(
            run,
            state=state,
            notes=run.notes if note in run.notes else (*run.notes, note),
            parameters=json.dumps({CHANGE: change.number}),
            updated_at=self._moment,
            lease_number=self._ports.lease.require(),
        )
        self._ports.journal.save_runs([after])

    def _finish_run(self) -> None:
        """A run whose closes were all sent is submitted; a reconciliation moves it on when they have filled."""
        run = self._ports.journal.run(self._identity)
        if run is not None and run.state is RunState.PLANNED:
            self._ports.lease.require()
            self._ports.journal.save_runs([replace(run, state=RunState.SUBMITTED, updated_at=self._moment)])

    def _end(self) -> None:
        """Somebody has ended it: closes that were not sent never will be; those at the broker may fill."""
        runs = [run for run in self._ports.journal.open_runs() if run.policy == FLATTEN]
        unsent = [order for run in runs for order in _list_unsent(self._ports.journal.of(run.portfolio_id))]
        self._drop(unsent, ENDED)
        if planned := [run for run in runs if run.state is RunState.PLANNED]:
            self._ports.lease.require()
            after = [replace(run, state=RunState.SUBMITTED, updated_at=self._moment) for run in planned]
            self._ports.journal.save_runs(after)


def _list_unsent(orders: Iterable[Order]) -> list[Order]:
    return [order for order in orders if order.state is OrderState.PLANNED]


def _may_send(order: Order, holdings: OwnHoldings) -> bool:
    return order.state.is_sendable and order.quantity <= shares_to_close(order, holdings.shares)


def _is_given_up(last: Order | None, *, again: bool) -> bool:
    """Whether the broker ended the last close of this session early: only who asks once more gets another one."""
    return last is not None and last.state in {OrderState.CANCELED, OrderState.REJECTED} and not again


def _change_number(run: RebalanceRun) -> int:
    """The number of the change of the trading state that a flattening run was asked for by."""
    return int(json.loads(run.parameters or "{}").get(CHANGE, 0))


def runs_since_decision(runs: Sequence[RebalanceRun], number: int) -> list[RebalanceRun]:
    """The flattening runs since the last decision: together they close what it left, however often it was asked for.

    Where a decision has followed them, those that the change of the trading state with the number asked for.
    """
    decided = max((run.created_at for run in runs if run.policy != FLATTEN), default=None)
    closing = [run for run in runs if run.policy == FLATTEN]
    newest = [run for run in closing if decided is None or run.created_at >= decided]
    return newest or [run for run in closing if _change_number(run) == number]


def last_flattening(runs: Iterable[RebalanceRun]) -> int:
    """The number of the change that asked for the last flattening; 0 where there was none."""
    return max((_change_number(run) for run in runs if run.policy == FLATTEN), default=0)
