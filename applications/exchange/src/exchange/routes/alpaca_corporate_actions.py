"""Alpaca's corporate actions of all types (https://docs.alpaca.markets/reference/corporateactions-1).

An action is shown from its announcement on; `start` and `end` are days of processing: the day on which cash or shares
are paid, else the day on which the action takes effect.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import date
from typing import Annotated, Literal

import polars as pl
from fastapi import APIRouter, Depends, Query

from exchange.bodies.alpaca_corporate_actions import action_uuid, cusip_of, make_actions_body
from exchange.market_actions import read_known_actions
from exchange.responses import refusals
from exchange.responses.alpaca_data import CorporateActionsBody
from exchange.routes.alpaca import require_key_pair
from exchange.routes.alpaca_data import today_of
from exchange.routes.alpaca_data_answers import AlpacaDataRoute, DataRefusedError
from exchange.routes.dependencies import TheExchange
from internal.action_kinds import ActionKind

router = APIRouter(
    route_class=AlpacaDataRoute,
    responses=refusals.ALPACA_DATA,
    dependencies=[Depends(require_key_pair)],
    tags=["alpaca data"],
)

LARGEST_LIMIT, DEFAULT_LIMIT = 1_000, 100
PAID_LATER = (
    ActionKind.CASH_DIVIDEND,
    ActionKind.STOCK_DIVIDEND,
    ActionKind.RIGHTS_DISTRIBUTION,
    ActionKind.SPIN_OFF,
)
PROCESS_DATE = (
    pl.when(pl.col("kind").is_in([kind.value for kind in PAID_LATER]))
    .then(pl.coalesce("pay_date", "effective_date"))
    .otherwise("effective_date")
    .alias("process_date")
)
TICKERS = ("ticker", "new_ticker", "second_ticker")


@router.get("/v1/corporate-actions")
def list_corporate_actions(  # noqa: PLR0913, PLR0917 - one parameter of the query each
    exchange: TheExchange,
    symbols: str | None = None,
    cusips: str | None = None,
    types: str | None = None,
    start: date | None = None,
    end: date | None = None,
    ids: str | None = None,
    limit: Annotated[int, Query(ge=1, le=LARGEST_LIMIT)] = DEFAULT_LIMIT,
    page_token: str | None = None,
    sort: Literal["asc", "desc"] = "asc",
) -> CorporateActionsBody:
    """Actions that were announced by the clock's day, in order of their day of processing."""
    today = today_of(exchange)
    if ids and (symbols or cusips or types or start or end):
        raise DataRefusedError(400, "ids is mutually exclusive with the other filters")
    known = read_known_actions(exchange.market, exchange.faults.list_statements(), today).with_columns(PROCESS_DATE)
    chosen = (
        known.filter(_has_id(known, ids))
        if ids
        else known.filter(
            pl.col("process_date").is_between(start or today, end or today), _has_type(types), _concerns(symbols)
        ).pipe(_with_cusips, cusips)
    )
    ordered = chosen.sort("process_date", "action_id", descending=sort == "desc")
    first = _read_token(page_token)
    page = ordered.slice(first, limit)
    token = _write_token(first + limit) if first + limit < ordered.height else None
    return make_actions_body(list(page.iter_rows(named=True)), token)


def _has_id(known: pl.DataFrame, ids: str) -> pl.Series:
    wanted = set(ids.split(","))
    return pl.Series([action_uuid(action_id) in wanted for action_id in known.get_column("action_id")])


def _has_type(types: str | None) -> pl.Expr:
    if not types:
        return pl.lit(value=True)
    try:
        return pl.col("kind").is_in([ActionKind(text).value for text in types.split(",")])
    except ValueError as error:
        raise DataRefusedError(400, f"invalid types: {types}") from error


def _concerns(symbols: str | None) -> pl.Expr:
    if not symbols:
        return pl.lit(value=True)
    return pl.any_horizontal(pl.col(TICKERS).is_in(symbols.split(","))).fill_null(value=False)


def _with_cusips(actions: pl.DataFrame, cusips: str | None) -> pl.DataFrame:
    if not cusips:
        return actions
    wanted = set(cusips.split(","))
    found = [any(cusip_of(ticker) in wanted for ticker in row) for row in actions.select(TICKERS).iter_rows()]
    return actions.filter(pl.Series(found, dtype=pl.Boolean))


def _write_token(position: int) -> str:
    return urlsafe_b64encode(f"{position}".encode()).decode()


def _read_token(token: str | None) -> int:
    if not token:
        return 0
    try:
        return max(0, int(urlsafe_b64decode(token.encode()).decode()))
    except (ValueError, binascii.Error) as error:
        raise DataRefusedError(400, f"invalid page_token: {token}") from error
