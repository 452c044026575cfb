"""Orders of a person that waited for their fill longer than the orders that every reconciliation lists go back.

A limit order may wait for months. That one has filled shows in the account: it has other shares than the journal says.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from internal.dates import last_closed_session, session_open
from internal.trading.broker_reports import BrokerOrder
from internal.trading.entries import ROUNDING, Difference, EntryMemory, opened_date
from internal.trading.orders import Order
from internal.trading.own_holdings import find_splits
from internal.trading.ports import Journal, TradingPorts

EARLIER = timedelta(days=90)  # so long an order of a person may wait for its fill


@dataclass(frozen=True, slots=True)
class LateOrders:
    """Filled orders by client_order_id, the differences that they may explain, and names that are to be looked at.

    The differences are remembered once everything about them is written down: a process that fails before looks again.
    """

    orders: Mapping[str, BrokerOrder]
    differing: Mapping[str, Difference]
    waiting: frozenset[str]


def find_late_orders(ports: TradingPorts, busy: Collection[str], moment: datetime, memory: EntryMemory) -> LateOrders:
    """The filled orders of each name that differs from the journal, since the fund opened it.

    The broker is asked for its older orders where a difference is new, and once a session while it lasts: others may
    hold shares beside the fund's, and an order may be listed as filled later than the account shows its shares.

    It is also asked once a name's trades have waited for a split, or for an order of the fund: what was sold may have
    been bought again meanwhile, so that nothing differs. A process that begins does not know which waited, and asks
    about all names.

    busy: Names that are left out, because the fund's own orders of them may be filling.
    """
    differing, own = _find_differences(ports, busy, moment, memory)
    waiting = own if memory.waiting is None else memory.waiting
    looked_at = waiting - frozenset(busy)
    if not looked_at and not differing.items() - memory.differing.items():
        return LateOrders({}, differing, waiting)
    fills = {ticker: ports.journal.fills(ticker) for ticker in looked_at.union(differing)}
    earlier = ports.broker.orders_since(moment - EARLIER)
    found = {
        order.client_order_id: order
        for order in earlier
        if order.filled_quantity > 0 and _belongs_to(order, fills.get(order.ticker, ()), ports.journal)
    }
    return LateOrders(found, differing, waiting)


def _find_differences(
    ports: TradingPorts, busy: Collection[str], moment: datetime, memory: EntryMemory
) -> tuple[dict[str, Difference], frozenset[str]]:
    """By ticker, the signed shares that the journal's fills leave and that the account has, where they differ.

    Both count in today's shares: after a split half of a position that was sold is as many shares as all were before.
    And the names of all that the fund holds.
    """
    at_broker = ports.broker.positions()
    held = {position.ticker: position.quantity for position in at_broker}
    securities = memory.held.find(ports.journal, at_broker)
    found = find_splits(ports, securities, held, moment, memory)
    session = last_closed_session(moment)
    own_shares = {**ports.journal.own_shares(), **found.left}
    both = ((ticker, own, held.get(ticker, 0.0)) for ticker, own in own_shares.items())
    differing = {
        ticker: Difference(own, shares, session)
        for ticker, own, shares in both
        if abs(own - shares) > ROUNDING and ticker not in busy
    }
    return differing, frozenset(own_shares)


def _belongs_to(order: BrokerOrder, fills: Sequence[Order], journal: Journal) -> bool:
    """Whether it is one of the fund's fills since the name was opened, or somebody else's fill since then."""
    if not fills:
        return False
    if journal.order(order.client_order_id) is not None:
        return any(fill.client_order_id == order.client_order_id for fill in fills)
    return (order.filled_at or order.submitted_at) >= session_open(opened_date(fills[0]))
