"""A market's corporate actions by day, so that asking for one session's costs the same however many there are."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta

import polars as pl

from internal.action_kinds import ActionKind
from internal.venue.corporate_actions import CorporateAction, dividend_action, split_action
from internal.venue.money import decimal_of

PLACES = {kind: place for place, kind in enumerate(ActionKind)}  # within a day: splits first, name changes last


class ActionCalendar:
    """Corporate actions, ordered by date, kind and ticker."""

    def __init__(self, actions: Iterable[CorporateAction]) -> None:
        self._days: defaultdict[date, list[CorporateAction]] = defaultdict(list)
        for action in sorted(actions, key=lambda one: (one.effective_date, PLACES[one.kind], one.ticker)):
            self._days[action.effective_date].append(action)

    def between(self, start: date, end: date) -> tuple[CorporateAction, ...]:
        """Those with start <= effective date <= end."""
        days = (start + timedelta(days=number) for number in range((end - start).days + 1))
        return tuple(action for day in days for action in self._days.get(day, ()))

    def every(self) -> tuple[CorporateAction, ...]:
        """All of them."""
        return tuple(action for day in sorted(self._days) for action in self._days[day])


def actions_of_frames(splits: pl.DataFrame, dividends: pl.DataFrame) -> list[CorporateAction]:
    """The actions in the tables `splits` and `dividends`, whose dates of declaration, record and payment may lack."""
    terms = splits.select("ticker", "execution_date", "split_from", "split_to").iter_rows()
    found = [split_action(ticker, day, decimal_of(old), decimal_of(new)) for ticker, day, old, new in terms]
    return found + [
        dividend_action(
            row["ticker"],
            row["ex_dividend_date"],
            decimal_of(row["cash_amount"]),
            declaration_date=row.get("declaration_date"),
            record_date=row.get("record_date"),
            pay_date=row.get("pay_date"),
        )
        for row in dividends.iter_rows(named=True)
    ]
