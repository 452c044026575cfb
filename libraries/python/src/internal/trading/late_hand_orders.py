"""Orders of a person that waited for their fill longer than the orders that every reconciliation lists go back.

A limit order may wait for months. That one has filled shows in the account: it has other shares than the journal says.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from internal.dates import session_open
from internal.trading.entries import ROUNDING, EntryMemory, opened_date
from internal.trading.ports import Broker, Journal, TradingPorts
from internal.trading.rows import BrokerOrder, Order

EARLIER = timedelta(days=90)  # so long an order of a person may wait for its fill


def find_late_orders(
    ports: TradingPorts, busy: Collection[str], moment: datetime, memory: EntryMemory
) -> dict[str, BrokerOrder]:
    """The filled orders of each name that differs from the journal, since the fund opened it, by client_order_id.

    The broker is asked for its older orders only where a difference is new: others may hold shares beside the fund's.

    busy: Names that are left out, because the fund's own orders of them may be filling.
    """
    differing = _find_differences(ports.broker, ports.journal, busy)
    if not differing.items() - memory.differing.items():
        memory.differing = differing
        return {}
    fills = {ticker: ports.journal.fills(ticker) for ticker in differing}
    earlier = ports.broker.orders_since(moment - EARLIER)
    memory.differing = differing
    return {
        order.client_order_id: order
        for order in earlier
        if order.filled_quantity > 0 and _belongs_to(order, fills.get(order.ticker, ()), ports.journal)
    }


def _find_differences(broker: Broker, journal: Journal, busy: Collection[str]) -> dict[str, tuple[float, float]]:
    """By ticker, the signed shares that the journal's fills leave and that the account has, where they differ."""
    held = {position.ticker: position.quantity for position in broker.positions()}
    both = ((ticker, own, held.get(ticker, 0.0)) for ticker, own in journal.own_shares().items())
    return {
        ticker: (own, shares) for ticker, own, shares in both if abs(own - shares) > ROUNDING and ticker not in busy
    }


def _belongs_to(order: BrokerOrder, fills: Sequence[Order], journal: Journal) -> bool:
    """Whether it is one of the fund's fills since the name was opened, or somebody else's fill since then."""
    if not fills:
        return False
    if journal.order(order.client_order_id) is not None:
        return any(fill.client_order_id == order.client_order_id for fill in fills)
    return (order.filled_at or order.submitted_at) >= session_open(opened_date(fills[0]))
