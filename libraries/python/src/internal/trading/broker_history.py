"""Checks that the broker still has the orders that it confirmed; nothing is sent while it does not.

A broker that was restored to an older state has lost orders, or fills, that it had confirmed. Its owner has to say then
which of the two is right, the journal or the broker.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from internal.dates import last_closed_session, session_open
from internal.errors import ConflictError
from internal.trading.action_records import list_rows_to_repeat
from internal.trading.broker_reports import BrokerOrder
from internal.trading.enums import OrderState
from internal.trading.hand_closes import list_lost_closes
from internal.trading.order_submission import OrderSubmitter, record_answer
from internal.trading.orders import Order
from internal.trading.ports import TradingPorts
from internal.trading.replacements import follow_replacements

if TYPE_CHECKING:
    from internal.trading.runs import RebalanceRun

CLOCK_TOLERANCE = timedelta(minutes=1)  # clocks of one broker's servers differ; a restored broker's differs by more
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)  # before any order
LOST = "the broker no longer has it, and its owner accepted that"
AHEAD = "not sent: the session that it was decided in is yet to come at the broker"
SHOWN = 5  # ids that a message names
WHAT_TO_DO = (
    "the broker was restored to an older state, or these are the keys of another account. Nothing is sent. If the "
    'broker\'s state is the right one, POST /reconciliations {"accept_broker_state": true}: the journal then drops '
    "what the broker no longer has"
)


class BrokerHistoryError(ConflictError):
    """The broker lost orders or fills that it had confirmed, or its clock went back: nothing is sent."""

    title = "Broker lost orders"
    slug = "broker-lost-orders"


def fetch_recent_orders(ports: TradingPorts) -> dict[str, BrokerOrder]:
    """The broker's orders since the session of the journal's last run, as replacements left them, by client_order_id.

    An order that somebody sent by hand before the run may fill after it. Without any run they are all orders of an
    account that is in use, and none of one that holds nothing.
    """
    last = ports.journal.last_run()
    if last is None and not ports.broker.positions() and not ports.broker.open_orders():
        return {}
    since = BEGINNING if last is None else min(session_open(last.date), last.created_at)
    orders = {order.broker_order_id: order for order in ports.broker.orders_since(since)}

    def find(identity: str) -> BrokerOrder | None:
        return orders.get(identity) or ports.broker.order_by_id(identity)

    return {order.client_order_id: follow_replacements(order, find) for order in orders.values()}


def require_broker_history(
    ports: TradingPorts, submitter: OrderSubmitter, recent: Mapping[str, BrokerOrder], moment: datetime
) -> None:
    """Raise BrokerHistoryError when the broker is in a state before the journal's."""
    last = ports.journal.last_snapshot()
    if last is not None and moment < last.timestamp - CLOCK_TOLERANCE:
        raise BrokerHistoryError(
            f"the broker's clock is at {moment.isoformat()}, before {last.timestamp.isoformat()}, when its account was "
            f"last recorded: {WHAT_TO_DO}"
        )
    lost = [
        order.client_order_id
        for order in _confirmed_orders(ports)
        if _is_lost(order, recent.get(order.client_order_id) or submitter.find(order.client_order_id))
    ]
    if lost:
        more = "" if len(lost) <= SHOWN else f" and {len(lost) - SHOWN} more"
        raise BrokerHistoryError(
            f"the broker lost {len(lost)} orders, or fills of them, that it had confirmed "
            f"({', '.join(lost[:SHOWN])}{more}): {WHAT_TO_DO}"
        )


def follow_broker_state(ports: TradingPorts, submitter: OrderSubmitter, moment: datetime) -> None:
    """Let the journal follow a broker that was restored: lost orders are dropped, lost fills and snapshots removed.

    Runs are looked at from the newest back, until one of which the broker has every order. A session that was
    decided is not decided a second time, although the broker's clock may reach its close again; what was not sent of a
    session that is yet to come at the broker is dropped. Rows of corporate actions since that run are dropped too: the
    next reconciliation records again what the broker has carried out. So are rows of trades by hand that it lacks.
    """
    changed: list[Order] = []
    kept: RebalanceRun | None = None
    for run in reversed(ports.journal.runs()):
        planned = ports.journal.of(run.portfolio_id)
        orders = [order for order in planned if order.broker_order_id is not None]
        lost = [after for order in orders if (after := _follow_broker(order, submitter, moment)) != order]
        changed += lost
        if run.date > last_closed_session(moment):
            unsent = [order for order in planned if order.state.is_sendable and order.broker_order_id is None]
            changed += [replace(order, state=OrderState.DROPPED, reason=AHEAD, updated_at=moment) for order in unsent]
        if orders and not lost:
            kept = run
            break
    changed += list_rows_to_repeat(ports.journal, kept, moment)
    account = ports.broker.account().account_id
    changed += list_lost_closes(ports, account, None if kept is None else kept.created_at, moment)
    ports.lease.require()
    if changed:
        ports.journal.save_orders(changed)
    ports.journal.forget_snapshots_after(moment)


def _confirmed_orders(ports: TradingPorts) -> list[Order]:
    """Orders of the last run, and unfinished ones, that the broker had confirmed."""
    run = ports.journal.last_run()
    recent: Sequence[Order] = () if run is None else ports.journal.of(run.portfolio_id)
    orders = {order.client_order_id: order for order in (*ports.journal.unfinished(), *recent)}
    return [order for order in orders.values() if order.broker_order_id is not None]


def _is_lost(order: Order, found: BrokerOrder | None) -> bool:
    return found is None or found.filled_quantity < order.filled_quantity


def _follow_broker(order: Order, submitter: OrderSubmitter, moment: datetime) -> Order:
    """The order as the broker has it; one that it does not have was never sent."""
    found = submitter.find(order.client_order_id)
    if found is not None and not _is_lost(order, found):
        return order
    unfilled = replace(order, filled_quantity=0.0, filled_average_price=None, updated_at=moment)
    if found is not None:
        return record_answer(unfilled, found, moment)
    return replace(unfilled, state=OrderState.DROPPED, broker_order_id=None, reason=LOST)
