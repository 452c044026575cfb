"""A dry run: the orders of a session are planned, shown and dropped, so that its owner sees them before any is sent."""

from dataclasses import replace
from datetime import datetime

from internal.trading.enums import OrderState, RunState
from internal.trading.order_planning import apply_orders
from internal.trading.ports import TradingPorts
from internal.trading.runs import RebalanceRun

DRY_RUN = "dry run: planned and not sent, because it is the first session after arming"


def end_dry_run(ports: TradingPorts, run: RebalanceRun, moment: datetime) -> RebalanceRun:
    """Drop what was not sent of the run, and end it; an order that is at the broker all the same stays what it is."""
    orders = ports.journal.of(run.portfolio_id)
    unsent = [order for order in orders if order.state is OrderState.PLANNED]
    dropped = [replace(one, state=OrderState.DROPPED, reason=DRY_RUN, updated_at=moment) for one in unsent]
    lease_number = ports.lease.require()
    if dropped:
        ports.journal.save_orders(dropped)
    orders, portfolio = ports.journal.of(run.portfolio_id), ports.portfolios.find(run.portfolio_id)
    if portfolio is not None and (rows := apply_orders(portfolio.rows, orders)) != portfolio.rows:
        ports.portfolios.save(replace(portfolio, rows=rows))
    left = any(not order.state.is_final for order in orders)
    state, notes = RunState.SUBMITTED if left else RunState.RECONCILED, (*run.notes, DRY_RUN)
    ended = replace(run, state=state, notes=notes, updated_at=moment, lease_number=lease_number)
    ports.journal.save_runs([ended])
    return ended
