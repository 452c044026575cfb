"""A market's splits and dividends by day, so that asking for one session's costs the same however many there are."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta

import polars as pl

from internal.venue.corporate_actions import Dividend, Split
from internal.venue.market.protocol import CorporateActions
from internal.venue.money import decimal_of


class ActionCalendar:
    """Splits and dividends as objects, made once from frames that are ordered by date and ticker.

    Args:
        splits: ticker, execution_date, split_from, split_to.
        dividends: ticker, ex_dividend_date, cash_amount (US dollars a share); other columns are ignored.
    """

    def __init__(self, splits: pl.DataFrame, dividends: pl.DataFrame) -> None:
        self._splits: defaultdict[date, list[Split]] = defaultdict(list)
        self._dividends: defaultdict[date, list[Dividend]] = defaultdict(list)
        for ticker, day, split_from, split_to in splits.select(
            "ticker", "execution_date", "split_from", "split_to"
        ).iter_rows():
            self._splits[day].append(Split(ticker, day, decimal_of(split_from), decimal_of(split_to)))
        for ticker, day, amount in dividends.select("ticker", "ex_dividend_date", "cash_amount").iter_rows():
            self._dividends[day].append(Dividend(ticker, day, decimal_of(amount)))

    def between(self, start: date, end: date) -> CorporateActions:
        """Those with start <= date <= end."""
        days = list(_days(start, end))
        return CorporateActions(
            tuple(split for day in days for split in self._splits.get(day, ())),
            tuple(dividend for day in days for dividend in self._dividends.get(day, ())),
        )


def _days(start: date, end: date) -> Iterable[date]:
    return (start + timedelta(days=number) for number in range((end - start).days + 1))
