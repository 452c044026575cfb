"""The divisions of basis of the account's spin-offs, by the data service's terms and first closes."""

from collections.abc import Iterable, Sequence

from internal.books.activities import Activity, ActivityKind
from internal.books.spin_offs import BOOKED_WITHIN, BasisDivision, divide_by_value
from internal.trading.ports import MarketData
from internal.venue.money import decimal_of


class BasisDivisions:
    """Found once for each row; one without terms or closes is asked about again."""

    def __init__(self, data: MarketData) -> None:
        self._data = data
        self._found: dict[str, BasisDivision] = {}

    @property
    def known(self) -> Sequence[BasisDivision]:
        """Those that were found."""
        return list(self._found.values())

    def look_up(self, activities: Iterable[Activity]) -> Sequence[BasisDivision]:
        """Ask the data service about spin-offs that are not known yet; all that are. Raises UnavailableError."""
        for row in activities:
            if row.kind is ActivityKind.SPIN_OFF and row.quantity and row.activity_id not in self._found:
                division = self._find(row)
                if division is not None:
                    self._found[row.activity_id] = division
        return self.known

    def _find(self, row: Activity) -> BasisDivision | None:
        for action in self._data.corporate_actions(row.day - BOOKED_WITHIN, row.day + BOOKED_WITHIN):
            ratio = dict(action.deliveries).get(row.ticker or "") if action.gives_beside else None
            if ratio is None or row.ticker is None:
                continue
            closes = self._data.closes([action.ticker, row.ticker], action.effective_date)
            if len(closes) > 1:
                prices = decimal_of(closes[action.ticker]), decimal_of(closes[row.ticker])
                terms = action.ticker, row.ticker, action.effective_date
                return divide_by_value(*terms, ratio=decimal_of(ratio), prices=prices)
        return None
