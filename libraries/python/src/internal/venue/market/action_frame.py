"""A market's corporate actions as a frame, in the columns of the table `corporate_actions`."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl

from internal.action_kinds import ActionKind
from internal.schemas.corporate_actions import CORPORATE_ACTIONS_COLUMNS, dividends_of, splits_of
from internal.venue.corporate_actions import CorporateAction

SOURCE = "exchange"


def actions_frame(actions: Iterable[CorporateAction]) -> pl.DataFrame:
    """One row an action, each in its first version, known since midnight UTC of its declaration or effective date."""
    return pl.DataFrame([_row(action) for action in actions], schema=CORPORATE_ACTIONS_COLUMNS)


def tables_of(actions: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The splits and the cash dividends among actions, each ordered by date and ticker."""
    splits = splits_of(actions.lazy()).sort("execution_date", "ticker", maintain_order=True)
    dividends = dividends_of(actions.lazy()).sort("ex_dividend_date", "ticker", maintain_order=True)
    return splits.collect(), dividends.collect()


def _row(action: CorporateAction) -> dict[str, object]:
    return {
        "action_id": action.action_id,
        "version": 1,
        "recorded_at": _midnight(action.declaration_date or action.effective_date),
        "withdrawn": False,
        "change": None,
        "source": SOURCE,
        "kind": action.kind.value,
        "ticker": action.ticker,
        "effective_date": action.effective_date,
        "declaration_date": action.declaration_date,
        "record_date": action.record_date,
        "pay_date": action.pay_date,
        "old_shares": _number(action.old_shares),
        "new_shares": _number(action.new_shares),
        "new_ticker": action.new_ticker,
        "second_shares": _number(action.second_shares),
        "second_ticker": action.second_ticker,
        "cash_amount": _number(action.cash_amount),
        "special": action.special if action.kind is ActionKind.CASH_DIVIDEND else None,
    }


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
