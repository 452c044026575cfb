"""A venue's history as the activities of the books, as the fund reads them from a broker."""

from collections.abc import Sequence

from internal.books.activities import Activity
from internal.venue.history import Fill, HistoryRow
from internal.venue.money import ZERO
from internal.venue.repository import HistoryQuery, VenueRepository


class VenueActivities:
    """The activities of a venue's account; each reading takes all of them."""

    def __init__(self, repository: VenueRepository) -> None:
        self._repository = repository

    def read_new(self) -> Sequence[Activity]:
        """All activities, oldest first."""
        return [make_activity(row) for row in self._repository.find_history(HistoryQuery())]

    def forget(self) -> None:
        """Nothing: nothing is remembered."""


def make_activity(row: HistoryRow) -> Activity:
    """A row of the history as an activity."""
    entry = row.entry
    is_fill = isinstance(entry, Fill)
    quantity = entry.side.sign * entry.quantity if is_fill else entry.quantity or ZERO
    return Activity(
        activity_id=str(row.sequence),
        type=row.activity_type.value,
        sub_type="" if is_fill else entry.activity_sub_type or "",
        moment=row.moment,
        day=row.session,
        ticker=entry.ticker,
        quantity=quantity,
        price=entry.price,
        net_amount=row.net_amount,
        order_id=entry.order_id if is_fill else "",
        description="" if is_fill else entry.kind.value,
        number=row.sequence,
    )
