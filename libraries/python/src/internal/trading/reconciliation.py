"""Reconciliation: what the broker says about every unfinished order, and the account's value at this moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from internal.dates import last_closed_session
from internal.trading.broker_reports import Account, BrokerOrder, Costs
from internal.trading.enums import Adjustment, OrderState, RunState
from internal.trading.order_submission import OrderSubmitter, record_answer
from internal.trading.orders import Order
from internal.trading.ports import Broker, Journal, TradingPorts
from internal.trading.runs import RebalanceRun
from internal.trading.snapshots import Snapshot

STALE = "never reached the broker before its session ended; the next portfolio decides again"
UNKNOWN = "the broker has no such order"
REJECTED = "rejected by the broker, which had accepted it"


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Orders that came to an end, that are still open, and that the broker could not account for."""

    resolved: int
    open: int
    unresolved: int


def reconcile_journal(
    ports: TradingPorts,
    submitter: OrderSubmitter,
    recent: Mapping[str, BrokerOrder],
    account: Account,
    moment: datetime,
) -> Reconciliation:
    """Record what became of every unfinished order, move runs on, write an account snapshot.

    recent: orders that the broker has just listed, by id; about others it is asked one by one.

    Recording the same answer twice changes nothing. Orders of an ended session that never reached the broker are
    dropped, also those of a plan that was interrupted before its run was written; those of the present session are left
    for the rebalance to go on with. Three commits at most: orders, snapshot, runs. Raises StandbyError when the lease
    was lost while the broker was asked: its new holder may have sent more.
    """
    journal, asked = ports.journal, ports.journal.unfinished()
    answers = [(order, _record_state(submitter, recent, order, moment)) for order in asked]
    changed = [after for order, found in answers if (after := _drop_unsent(found, moment)) is not order]
    ports.lease.require()
    if changed:
        journal.save_orders(changed)
        if account.pool is not None:  # the fund's part of the account follows from its fills
            account = ports.broker.account()
    journal.save_snapshot(_snapshot(ports.broker, journal, account, moment))
    moved = [after for run in journal.open_runs() if (after := _move_on(journal, run, moment)) is not run]
    if moved:
        journal.save_runs(moved)
    return _count([after for order in asked if (after := journal.order(order.client_order_id)) is not None])


def _record_state(
    submitter: OrderSubmitter, recent: Mapping[str, BrokerOrder], order: Order, moment: datetime
) -> Order:
    found = recent.get(order.client_order_id) or submitter.find(order.client_order_id)
    if found is not None:
        after = record_answer(order, found, moment)
        return replace(after, reason=REJECTED) if after.state is OrderState.REJECTED else after
    unknown = replace(order, state=OrderState.UNRESOLVED, reason=UNKNOWN)
    return order if order.state is OrderState.PLANNED or unknown == order else replace(unknown, updated_at=moment)


def _has_ended(decided: RebalanceRun | Order, moment: datetime) -> bool:
    """Whether the session after its own has closed: orders could only be sent a session late."""
    return last_closed_session(moment) > decided.date


def _drop_unsent(order: Order, moment: datetime) -> Order:
    """The order, dropped if its session has ended; one that is at the broker in a state of unknown name is not."""
    if not order.state.is_sendable or order.broker_order_id is not None or not _has_ended(order, moment):
        return order
    return replace(order, state=OrderState.DROPPED, reason=STALE, updated_at=moment)


def _move_on(journal: Journal, run: RebalanceRun, moment: datetime) -> RebalanceRun:
    """A run whose orders are all final is reconciled; one that still sends orders stays as it is."""
    ended = _has_ended(run, moment)
    if run.state in {RunState.PLANNED, RunState.WAITING} and not ended:
        return run
    orders = journal.of(run.portfolio_id)
    left = any(not order.state.is_final for order in orders)
    state = RunState.SUBMITTED if left else RunState.RECONCILED
    notes = (*run.notes, *_dropped_note(orders)) if run.state in {RunState.PLANNED, RunState.WAITING} else run.notes
    return run if state is run.state else replace(run, state=state, notes=notes, updated_at=moment)


def _dropped_note(orders: Sequence[Order]) -> list[str]:
    dropped = sorted(
        order.ticker for order in orders if order.state is OrderState.DROPPED and order.adjustment is Adjustment.NONE
    )
    return [f"not sent before the session ended, dropped: {', '.join(dropped)}"] if dropped else []


def _charged_costs(broker: Broker, journal: Journal) -> Costs:
    """What the broker has charged since the fund's first decision: an account may have been in use before."""
    first = journal.first_run()
    return Costs(fees=0.0, borrow=0.0) if first is None else broker.costs(first.date)


def _snapshot(broker: Broker, journal: Journal, account: Account, moment: datetime) -> Snapshot:
    costs, last = _charged_costs(broker, journal), journal.last_run()
    return replace(
        account.value_at(moment),
        portfolio_id=last.portfolio_id if last else "",
        slippage=journal.slippage(),
        fees=costs.fees,
        borrow=costs.borrow,
    )


def _count(orders: Sequence[Order]) -> Reconciliation:
    unresolved = sum(order.state is OrderState.UNRESOLVED for order in orders)
    resolved = sum(order.state.is_final for order in orders)
    return Reconciliation(resolved, len(orders) - resolved - unresolved, unresolved)
