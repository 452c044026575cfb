"""The data service as closing all positions needs it: what the broker shows is enough while it does not answer."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from internal.errors import FundError
from internal.trading.corporate_actions import CorporateAction
from internal.trading.day_inputs import DayInputs
from internal.trading.ports import MarketData
from internal.trading.positions import Entry
from internal.trading.strategy import DataNeeds


class OptionalData:
    """The port `MarketData` that states no corporate actions and no closes while the data service does not answer.

    Which splits a position has had is read from the broker's list of moved shares then. Nothing is decided with it.

    Args:
        data: The data service.
    """

    def __init__(self, data: MarketData) -> None:
        self._data = data

    def is_answering(self, day: date) -> bool:
        """Whether the data service states the corporate actions of a day."""
        try:
            self._data.corporate_actions(day, day)
        except FundError:
            return False
        return True

    def corporate_actions(self, first: date, last: date) -> Sequence[CorporateAction]:
        """Corporate actions by effective date; none while the data service does not answer."""
        try:
            return self._data.corporate_actions(first, last)
        except FundError:
            return ()

    def closes(self, tickers: Sequence[str], day: date) -> Mapping[str, float]:
        """Closes of a session by ticker; none while the data service does not answer."""
        try:
            return self._data.closes(tickers, day)
        except FundError:
            return {}

    def day_inputs(self, day: date, needs: DataNeeds) -> DayInputs:
        """What a decision needs."""
        return self._data.day_inputs(day, needs)

    def price_factors(self, entries: Collection[Entry], day: date) -> Mapping[Entry, float]:
        """By entry, adjusted over raw close."""
        return self._data.price_factors(entries, day)

    def later_tickers(self, tickers: Collection[str], day: date) -> Mapping[str, Collection[str]]:
        """By ticker, those that its securities have on the day."""
        return self._data.later_tickers(tickers, day)
