"""The broker's ids of the fund's orders, those that a person made of them at the broker included."""

from collections.abc import Iterable

from internal.books.activities import Activity, ActivityKind
from internal.trading.entries import opened_date
from internal.trading.ports import Broker
from internal.trading.replacements import find_original
from portfoliomanager.ports import FundJournal


class OwnOrders:
    """Answers whose order a fill is of; the broker is asked once about each order of another id.

    The journal has the id of an order's last replacement alone, and fills name the order that was filled.
    """

    def __init__(self, broker: Broker, journal: FundJournal) -> None:
        self._broker, self._journal = broker, journal
        self._replacements: dict[str, bool] = {}

    def ids(self) -> set[str]:
        """All that are known."""
        orders = {order.broker_order_id for order in self._journal.orders() if order.broker_order_id is not None}
        return orders | {identity for identity, is_own in self._replacements.items() if is_own}

    def look_up(self, activities: Iterable[Activity]) -> None:
        """Ask about fills of other orders, of names and sessions in which the fund had orders.

        Raises UpstreamError or UnavailableError.
        """
        known, traded = self.ids(), {(order.ticker, opened_date(order)) for order in self._journal.orders()}
        for row in activities:
            is_fill = row.kind is ActivityKind.FILL and (row.ticker, row.day) in traded
            if is_fill and row.order_id not in known | self._replacements.keys():
                self._replacements[row.order_id] = self._is_own(row.order_id)

    def _is_own(self, identity: str) -> bool:
        found = self._broker.order_by_id(identity)
        if found is None:
            return False
        return self._journal.order(find_original(found, self._broker).client_order_id) is not None
