"""Fees and borrow cost that a venue has charged, summed once from the rows of its history."""

from datetime import date
from decimal import Decimal

from internal.trading.broker_reports import Costs
from internal.venue.history import ActivityType, Movement, MovementKind
from internal.venue.money import ZERO
from internal.venue.repository import HistoryQuery, VenueRepository

FEES = frozenset({ActivityType.FEE})


class ChargedCosts:
    """Running sums; each reading takes up only the rows that are new."""

    def __init__(self, repository: VenueRepository) -> None:
        self._repository = repository
        self._fees, self._borrow, self._read = ZERO, ZERO, 0

    def read(self, after: date) -> Costs:
        """The sums of what was charged on the days after that one, dollars; each reading names the same day."""
        for row in self._repository.find_history(HistoryQuery(types=FEES, beyond=self._read)):
            if isinstance(row.entry, Movement) and row.session > after:
                self._add(row.entry.kind, -row.entry.net_amount)
            self._read = row.sequence
        return Costs(float(self._fees), float(self._borrow))

    def _add(self, kind: MovementKind, amount: Decimal) -> None:
        if kind is MovementKind.BORROW_FEE:
            self._borrow += amount
        else:
            self._fees += amount
