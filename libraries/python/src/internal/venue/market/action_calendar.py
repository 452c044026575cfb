"""A market's corporate actions by day, so that asking for one session's costs the same however many there are."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

import polars as pl

from internal.action_kinds import ActionKind
from internal.venue.corporate_actions import CorporateAction
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


def actions_of_table(actions: pl.DataFrame) -> list[CorporateAction]:
    """The actions of a table in the columns of `corporate_actions`, all of them in force."""
    return [
        CorporateAction(
            kind=ActionKind(row["kind"]),
            ticker=row["ticker"],
            effective_date=row["effective_date"],
            old_shares=_optional_decimal(row["old_shares"]),
            new_shares=_optional_decimal(row["new_shares"]),
            new_ticker=row["new_ticker"],
            second_shares=_optional_decimal(row["second_shares"]),
            second_ticker=row["second_ticker"],
            cash_amount=_optional_decimal(row["cash_amount"]),
            special=bool(row["special"]),
            declaration_date=row["declaration_date"],
            record_date=row["record_date"],
            pay_date=row["pay_date"],
        )
        for row in actions.iter_rows(named=True)
    ]


def _optional_decimal(value: float | None) -> Decimal | None:
    return None if value is None else decimal_of(value)
