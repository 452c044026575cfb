"""Shares of one day in the terms of another: splits change how many they are, and name changes what they are called."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from internal.trading.corporate_actions import CorporateAction
from internal.venue.money import ONE, decimal_of


@dataclass(frozen=True, slots=True)
class ShareTerms:
    """What a share of a day has become since: its last ticker, and how many shares of it."""

    ticker: str
    ratio: Decimal


class ShareCounts:
    """Follows the shares of a ticker and a day through the corporate actions after it."""

    def __init__(self, actions: Iterable[CorporateAction]) -> None:
        changing = (one for one in actions if one.is_rename or one.ratio != 1.0)
        self._actions = sorted(changing, key=lambda one: (one.effective_date, one.is_rename))
        self._found: dict[tuple[str, date], ShareTerms] = {}

    def follow(self, ticker: str, day: date) -> ShareTerms:
        """What a share of the ticker, as it is counted at the end of the day, has become since."""
        if (ticker, day) not in self._found:
            self._found[ticker, day] = self._follow(ticker, day)
        return self._found[ticker, day]

    def _follow(self, ticker: str, day: date) -> ShareTerms:
        now, ratio = ticker, ONE
        for action in self._actions:
            if action.ticker != now or action.effective_date <= day:
                continue
            now = action.new_ticker or now if action.is_rename else now
            ratio *= decimal_of(action.ratio)
        return ShareTerms(now, ratio)
