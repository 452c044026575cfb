"""Polygon's splits and dividends: the lists of `/v3/reference` and those of `/stocks/v1` that replace them.

What takes effect by the clock's day is served, in the words of the vendor's statements.
Vendor's pages: https://massive.com/docs/rest/stocks/corporate-actions.
"""

from datetime import date

import polars as pl
from fastapi import APIRouter, Depends, Request

from exchange.market_actions import read_known_actions
from exchange.responses import refusals
from exchange.responses.polygon import (
    DividendRow,
    DividendsBody,
    SplitRow,
    SplitsBody,
    StockDividendRow,
    StockDividendsBody,
    StockSplitRow,
    StockSplitsBody,
)
from exchange.routes.polygon_answers import PolygonRoute, exchange_of, require_key
from exchange.routes.polygon_pages import ListRequest, ListShape, Page, cut_page, read_list_request
from internal.action_kinds import SPLIT_KINDS, ActionKind

router = APIRouter(
    route_class=PolygonRoute, responses=refusals.POLYGON, dependencies=[Depends(require_key)], tags=["polygon"]
)

SPLITS = ListShape(
    columns={"ticker": str, "execution_date": date, "split_from": float, "split_to": float, "reverse_split": bool},
    sort="execution_date",
    order="desc",
    limit=10,
)
DIVIDENDS = ListShape(
    columns={
        "ticker": str,
        "ex_dividend_date": date,
        "record_date": date,
        "declaration_date": date,
        "pay_date": date,
        "frequency": float,
        "cash_amount": float,
        "dividend_type": str,
    },
    sort="ex_dividend_date",
    order="desc",
    limit=10,
)
STOCK_SPLITS = ListShape(
    columns={"ticker": str, "execution_date": date, "adjustment_type": str},
    sort="execution_date",
    order="desc",
    limit=100,
    largest_limit=5000,
)
STOCK_DIVIDENDS = ListShape(
    columns={"ticker": str, "ex_dividend_date": date, "frequency": float, "distribution_type": str},
    sort="ex_dividend_date",
    order="desc",
    limit=100,
    largest_limit=5000,
)
SHARE_KINDS = [kind.value for kind in (*SPLIT_KINDS, ActionKind.STOCK_DIVIDEND)]
IS_STOCK_DIVIDEND = pl.col("kind") == ActionKind.STOCK_DIVIDEND.value
ID = pl.concat_str(pl.lit("E"), "action_id").alias("id")
FACTOR = pl.col("split_from") / pl.col("split_to")


@router.get("/v3/reference/splits", response_model_exclude_none=True)
async def list_splits(request: Request) -> SplitsBody:
    """Splits and stock dividends executed by the clock's day, newest first."""
    page = _cut(request, SPLITS)
    rows = [SplitRow.model_validate(row) for row in page.rows]
    return SplitsBody(results=rows, count=len(rows), next_url=page.next_url)


@router.get("/stocks/v1/splits", response_model_exclude_none=True)
async def list_stock_splits(request: Request) -> StockSplitsBody:
    """The same in the newer list, with the type of each and the factor on earlier prices."""
    page = _cut(request, STOCK_SPLITS)
    rows = [StockSplitRow.model_validate(row) for row in page.rows]
    return StockSplitsBody(results=rows, count=len(rows), next_url=page.next_url)


@router.get("/v3/reference/dividends", response_model_exclude_none=True)
async def list_dividends(request: Request) -> DividendsBody:
    """Cash dividends that went ex by the clock's day, newest first."""
    page = _cut(request, DIVIDENDS)
    rows = [DividendRow.model_validate(row) for row in page.rows]
    return DividendsBody(results=rows, count=len(rows), next_url=page.next_url)


@router.get("/stocks/v1/dividends", response_model_exclude_none=True)
async def list_stock_dividends(request: Request) -> StockDividendsBody:
    """The same in the newer list, with the type of each distribution."""
    page = _cut(request, STOCK_DIVIDENDS)
    rows = [StockDividendRow.model_validate(row) for row in page.rows]
    return StockDividendsBody(results=rows, count=len(rows), next_url=page.next_url)


def _cut(request: Request, shape: ListShape) -> Page:
    asked = read_list_request(request)
    actions = _stated_actions(request, asked)
    splits = read_splits(actions)
    rows = splits if "execution_date" in shape.columns else _dividends(actions, splits)
    return cut_page(request, asked, rows, shape)


def _stated_actions(request: Request, asked: ListRequest) -> pl.DataFrame:
    exchange = exchange_of(request)
    known = read_known_actions(exchange.market, exchange.faults.list_statements(), asked.day)
    return known.filter(pl.col("effective_date") <= asked.day)


def read_splits(actions: pl.DataFrame) -> pl.DataFrame:
    """Splits and stock dividends of a table of actions as the vendor writes them: a dividend of 5 % is 1 to 1.05."""
    return (
        actions.filter(pl.col("kind").is_in(SHARE_KINDS))
        .select(
            ID,
            "ticker",
            pl.col("effective_date").alias("execution_date"),
            pl.col("old_shares").alias("split_from"),
            pl.when(IS_STOCK_DIVIDEND)
            .then(pl.sum_horizontal("old_shares", "new_shares"))
            .otherwise("new_shares")
            .alias("split_to"),
            pl.col("kind").alias("adjustment_type"),
        )
        .sort("execution_date", "ticker")
        .with_columns(
            (pl.col("split_from") > pl.col("split_to")).alias("reverse_split"),
            FACTOR.cum_prod(reverse=True).over("ticker").alias("historical_adjustment_factor"),
        )
    )


def _dividends(actions: pl.DataFrame, splits: pl.DataFrame) -> pl.DataFrame:
    later = splits.select("ticker", "execution_date", pl.col("historical_adjustment_factor").alias("factor"))
    return (
        actions.filter(pl.col("kind") == ActionKind.CASH_DIVIDEND.value)
        .sort("effective_date")
        .join_asof(
            later.sort("execution_date"),
            left_on="effective_date",
            right_on="execution_date",
            by="ticker",
            strategy="forward",
            allow_exact_matches=False,
            check_sortedness=False,
        )
        .select(
            ID,
            "ticker",
            pl.col("effective_date").alias("ex_dividend_date"),
            "cash_amount",
            (pl.col("cash_amount") * pl.col("factor").fill_null(1.0)).round(6).alias("split_adjusted_cash_amount"),
            "declaration_date",
            "record_date",
            "pay_date",
            pl.lit("USD").alias("currency"),
            pl.when("special").then(pl.lit("SC")).otherwise(pl.lit("CD")).alias("dividend_type"),
            pl.when("special").then(pl.lit("special")).otherwise(pl.lit("recurring")).alias("distribution_type"),
            pl.when("special").then(0).otherwise(4).alias("frequency"),
        )
    )
