"""Corporate actions in the shapes of Alpaca's data API, one a type. Pure.

CUSIPs are made up, since a simulated company has none: a function of the ticker, with the length of real ones.
"""

from collections.abc import Callable, Mapping
from datetime import date
from hashlib import sha256
from uuid import uuid5

from exchange.responses.alpaca_data import CorporateActionsBody
from internal.action_kinds import ActionKind
from internal.venue.identity import EXCHANGE_NAMESPACE

type Cell = str | float | bool | date | None
type Row = Mapping[str, Cell]
type Body = dict[str, str | float | bool]
type Fields = dict[str, Cell]

CUSIP_LENGTH = 9


def cusip_of(ticker: Cell) -> str:
    """The made-up CUSIP of a ticker."""
    return sha256(f"cusip:{ticker}".encode()).hexdigest()[:CUSIP_LENGTH].upper()


def action_uuid(action_id: Cell) -> str:
    """Alpaca's id of an action."""
    return str(uuid5(EXCHANGE_NAMESPACE, f"action:{action_id}"))


def make_actions_body(rows: list[Row], token: str | None) -> CorporateActionsBody:
    """The rows (columns of the table, and `process_date`) by type, in their order."""
    by_type: dict[str, list[Body]] = {}
    for row in rows:
        kind = ActionKind(str(row["kind"]))
        by_type.setdefault(f"{kind.value}s", []).append(_make_body(kind, row))
    return CorporateActionsBody(corporate_actions=by_type, next_page_token=token)


def _make_body(kind: ActionKind, row: Row) -> Body:
    """The keys of the type; what is unknown is left out, as the vendor does."""
    fields = {"id": action_uuid(row["action_id"]), **SHAPES[kind](row), "process_date": row["process_date"]}
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in fields.items()
        if value is not None
    }


def _security(prefix: str, ticker: Cell) -> Fields:
    return {f"{prefix}symbol": ticker, f"{prefix}cusip": None if ticker is None else cusip_of(ticker)}


def _days(row: Row) -> Fields:
    return {"ex_date": row["effective_date"], "record_date": row["record_date"], "payable_date": row["pay_date"]}


def _ratio(row: Row) -> float:
    return float(str(row["new_shares"])) / float(str(row["old_shares"]))


def _forward_split(row: Row) -> Fields:
    rates = {"new_rate": row["new_shares"], "old_rate": row["old_shares"]}
    return {**_security("", row["ticker"]), **rates, **_days(row)}


def _reverse_split(row: Row) -> Fields:
    cusips = {"old_cusip": cusip_of(row["ticker"]), "new_cusip": cusip_of(f"{row['ticker']}:{row['effective_date']}")}
    rates = {"new_rate": row["new_shares"], "old_rate": row["old_shares"]}
    return {"symbol": row["ticker"], **cusips, **rates, **_days(row)}


def _unit_split(row: Row) -> Fields:
    return {
        **_security("old_", row["ticker"]),
        "old_rate": row["old_shares"],
        **_security("new_", row["new_ticker"]),
        "new_rate": row["new_shares"],
        **_security("alternate_", row["second_ticker"]),
        "alternate_rate": row["second_shares"],
        "effective_date": row["effective_date"],
        "payable_date": row["pay_date"],
    }


def _stock_dividend(row: Row) -> Fields:
    return {**_security("", row["ticker"]), "rate": _ratio(row), **_days(row)}


def _cash_dividend(row: Row) -> Fields:
    kinds = {"special": bool(row["special"]), "foreign": False}
    return {**_security("", row["ticker"]), "rate": row["cash_amount"], **kinds, **_days(row)}


def _rights_distribution(row: Row) -> Fields:
    securities = {**_security("source_", row["ticker"]), **_security("new_", row["new_ticker"])}
    return {**securities, "rate": _ratio(row), **_days(row)}


def _spin_off(row: Row) -> Fields:
    return {
        **_security("source_", row["ticker"]),
        "source_rate": row["old_shares"],
        **_security("new_", row["new_ticker"]),
        "new_rate": row["new_shares"],
        **_days(row),
    }


def _merger_days(row: Row) -> Fields:
    return {"effective_date": row["effective_date"], "payable_date": row["pay_date"]}


def _cash_merger(row: Row) -> Fields:
    acquirer = {} if row["new_ticker"] is None else _security("acquirer_", row["new_ticker"])
    return {**acquirer, **_security("acquiree_", row["ticker"]), "rate": row["cash_amount"], **_merger_days(row)}


def _stock_merger(row: Row) -> Fields:
    return {
        **_security("acquirer_", row["new_ticker"]),
        "acquirer_rate": row["new_shares"],
        **_security("acquiree_", row["ticker"]),
        "acquiree_rate": row["old_shares"],
        **_merger_days(row),
    }


def _stock_and_cash_merger(row: Row) -> Fields:
    return {**_stock_merger(row), "cash_rate": row["cash_amount"]}


def _redemption(row: Row) -> Fields:
    return {**_security("", row["ticker"]), "rate": row["cash_amount"], "payable_date": row["pay_date"]}


def _worthless_removal(row: Row) -> Fields:
    return _security("", row["ticker"])


def _name_change(row: Row) -> Fields:
    names = {"old_symbol": row["ticker"], "new_symbol": row["new_ticker"]}
    return {**names, "old_cusip": cusip_of(row["ticker"]), "new_cusip": cusip_of(row["ticker"])}


SHAPES: dict[ActionKind, Callable[[Row], Fields]] = {
    ActionKind.FORWARD_SPLIT: _forward_split,
    ActionKind.REVERSE_SPLIT: _reverse_split,
    ActionKind.UNIT_SPLIT: _unit_split,
    ActionKind.STOCK_DIVIDEND: _stock_dividend,
    ActionKind.CASH_DIVIDEND: _cash_dividend,
    ActionKind.RIGHTS_DISTRIBUTION: _rights_distribution,
    ActionKind.SPIN_OFF: _spin_off,
    ActionKind.CASH_MERGER: _cash_merger,
    ActionKind.STOCK_MERGER: _stock_merger,
    ActionKind.STOCK_AND_CASH_MERGER: _stock_and_cash_merger,
    ActionKind.REDEMPTION: _redemption,
    ActionKind.WORTHLESS_REMOVAL: _worthless_removal,
    ActionKind.NAME_CHANGE: _name_change,
}
