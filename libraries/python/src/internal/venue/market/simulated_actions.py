"""The simulated market's own splits and dividends as corporate actions: session numbers become dates here."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal

from internal.dates import next_session
from internal.venue.corporate_actions import CorporateAction, dividend_action, split_action
from internal.venue.market.path import Path
from internal.venue.market.simulation import DECLARATION_LEAD
from internal.venue.money import decimal_of

NEXT_DAY_SETTLEMENT = date(2024, 5, 28)  # from here on the record date is the ex-date (SEC rule 15c6-1, T+1)


def path_actions(path: Path, sessions: Sequence[date], ticker: Callable[[int, int], str]) -> list[CorporateAction]:
    """The path's splits and dividends; `ticker` names a security, by its number, before a session's open."""
    splits = [
        split_action(
            ticker(event.ticker, event.session),
            sessions[event.session],
            Decimal(event.split_from),
            Decimal(event.split_to),
        )
        for event in path.splits
    ]
    dividends = [
        dividend_action(
            ticker(event.ticker, event.session),
            day := sessions[event.session],
            decimal_of(event.cents / 100.0),
            declaration_date=sessions[event.declared],
            record_date=_record_date(day),
            pay_date=next_session(day, DECLARATION_LEAD),
        )
        for event in path.dividends
    ]
    return [*splits, *dividends]


def _record_date(ex_date: date) -> date:
    return ex_date if ex_date >= NEXT_DAY_SETTLEMENT else next_session(ex_date)
