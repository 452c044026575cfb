"""What became of closing all positions: what was closed, what is still open and why, and what was left alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from internal.dates import last_closed_session, next_session, session_open
from internal.errors import NotFoundError
from internal.trading.entries import EntryMemory
from internal.trading.enums import OrderState
from internal.trading.flattening import last_flattening, runs_since_decision
from internal.trading.order_planning import is_flatten
from internal.trading.order_submission import OrderSubmitter, record_answer
from internal.trading.orders import Order
from internal.trading.own_holdings import find_own_holdings
from internal.trading.ports import TradingPorts
from internal.trading.trading_state import TradingStateChange

UNCLEAR = (
    "it has split, nobody has stated how, and its shares do not show it: some of these may be the fund's. Once the "
    "data service states its splits, what is the fund's is closed"
)


@dataclass(frozen=True, slots=True)
class OpenHolding:
    """Shares of the fund's that are still held, negative when short, and why, in one sentence for people."""

    ticker: str
    quantity: float
    reason: str


@dataclass(frozen=True, slots=True)
class FlattenReport:
    """How far closing all positions is.

    Attributes:
        as_of: The market's clock.
        change: The trading state in force; where somebody has ended the closing, it says so.
        is_flat: Whether the fund holds nothing, as far as anybody can tell, and no order of it may still fill.
        orders: The closes that it sent since the last decision, or still has to, as the broker has them.
        still_open: What the fund still holds, or may hold.
        foreign: Signed shares of others by ticker, which are left alone.
        fills_from: When the closes that are at the broker can fill: the next open while the market is closed; None
            where none waits.
    """

    as_of: datetime
    change: TradingStateChange
    is_flat: bool
    orders: Sequence[Order]
    still_open: Sequence[OpenHolding]
    foreign: dict[str, float]
    fills_from: datetime | None


def report_flattening(ports: TradingPorts, moment: datetime, memory: EntryMemory) -> FlattenReport:
    """The report about the last time that all positions were to be closed.

    Raises NotFoundError where that never happened.
    """
    ports.journal.refresh()
    change, runs = ports.journal.trading_state(), ports.journal.runs()
    number = change.number if change.flattens else last_flattening(runs)
    if not number:
        raise NotFoundError("all positions were never to be closed: POST /flatten does that")
    submitter = OrderSubmitter(ports.broker, ports.pause)
    closes = [order for run in runs_since_decision(runs, number) for order in ports.journal.of(run.portfolio_id)]
    orders = [_ask_broker(order, submitter, moment) for order in closes]
    others = [order for order in ports.journal.unfinished() if not is_flatten(order.portfolio_id)]
    newest = [*orders, *(_ask_broker(order, submitter, moment) for order in others)]
    holdings = find_own_holdings(ports, moment, memory, newest)
    still_open = [_describe_open(ticker, shares, orders, moment) for ticker, shares in sorted(holdings.shares.items())]
    unclear = sorted(holdings.unclear & holdings.foreign.keys())
    still_open += [OpenHolding(ticker, holdings.foreign[ticker], UNCLEAR) for ticker in unclear]
    waits = any(order.broker_order_id is not None and not order.state.is_final for order in orders)
    return FlattenReport(
        as_of=moment,
        change=change,
        is_flat=not still_open and all(order.state.is_final for order in newest),
        orders=orders,
        still_open=still_open,
        foreign=dict(holdings.foreign),
        fills_from=next_fill(moment) if waits else None,
    )


def _ask_broker(order: Order, submitter: OrderSubmitter, moment: datetime) -> Order:
    """The order as the broker has it now, which the next reconciliation will write down."""
    if order.state.is_final or order.state is OrderState.PLANNED:
        return order
    found = submitter.find(order.client_order_id)
    return order if found is None else record_answer(order, found, moment)


def next_fill(moment: datetime) -> datetime:
    """When an order that waits at the broker can fill: now, or at the next open while the market is closed."""
    return max(moment, session_open(next_session(last_closed_session(moment))))


def _describe_open(ticker: str, shares: float, orders: Sequence[Order], moment: datetime) -> OpenHolding:
    """The holding with what became of the last order of it."""
    own = [order for order in orders if order.ticker == ticker]
    last = max(own, key=lambda order: (not order.state.is_final, order.date, order.updated_at), default=None)
    return OpenHolding(ticker, shares, _explain(last, moment))


def _explain(last: Order | None, moment: datetime) -> str:
    if last is None:
        return "no close was sent yet: the next reconciliation does, once no other order of it is open"
    if last.state.is_sendable:
        return "its close is written down and not known to be at the broker: the next reconciliation goes on with it"
    if not last.state.is_final:
        return f"its close is at the broker, and can fill from {next_fill(moment):%Y-%m-%d %H:%M} UTC on"
    if last.state is OrderState.FILLED:
        return "less was closed than is held by now: the next reconciliation closes the rest"
    ended = f"its close is {last.state} after {last.filled_quantity:g} of {last.quantity:g} shares ({last.reason})"
    return f"{ended}; the next session tries again, and so does POST /flatten"
