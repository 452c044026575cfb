"""What happens in the account and is not the fund's: the trades and the income of other holdings."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from internal.books.activities import Activity, ActivityKind
from internal.books.time_weighted import ExternalFlow


def outside_flows(
    activities: Sequence[Activity], own_orders: AbstractSet[str], received: AbstractSet[str] = frozenset()
) -> list[ExternalFlow]:
    """The cash of fills of other orders, and of names that the fund has never had, as flows.

    Args:
        activities: The account's.
        own_orders: The broker's ids of the fund's orders.
        received: Names that corporate actions gave the fund without an order.
    """
    own_names = {*_names(row for row in activities if row.order_id in own_orders), *received}
    return [
        ExternalFlow(row.moment, float(row.net_amount))
        for row in activities
        if row.net_amount and _is_outside(row, own_orders, own_names)
    ]


def _names(rows: Iterable[Activity]) -> Iterable[str]:
    return (row.ticker for row in rows if row.ticker is not None)


def _is_outside(row: Activity, own_orders: AbstractSet[str], own_names: AbstractSet[str]) -> bool:
    if row.kind is ActivityKind.FILL:
        return row.order_id not in own_orders
    known = {ActivityKind.TRANSFER, ActivityKind.OPENING}  # a flow already, and none
    return row.ticker is not None and row.kind not in known and row.ticker not in own_names
