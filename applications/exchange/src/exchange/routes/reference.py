"""Polygon's reference lists over the exchange's market: tickers, one ticker's details, splits and dividends.

Knows the vendor's paths, field names and default orders (https://polygon.io/docs/rest/stocks). Serves nothing of the
future: listings as known on the clock's day, splits and dividends that take effect by then.
"""

from datetime import date
from hashlib import sha256
from typing import Any

import polars as pl
from fastapi import APIRouter, Depends, Request

from exchange.routes.polygon_answers import (
    PolygonError,
    PolygonRoute,
    exchange_of,
    request_id,
    require_key,
    today,
)
from exchange.routes.polygon_pages import ListShape, answer_page, read_question
from exchange.routes.reference_details import details_body, ticker_fields
from internal.venue.market.listing import Listing
from internal.venue.market.protocol import Market

router = APIRouter(route_class=PolygonRoute, dependencies=[Depends(require_key)], tags=["polygon"])

TICKERS = ListShape(
    columns={
        "ticker": str,
        "name": str,
        "market": str,
        "locale": str,
        "primary_exchange": str,
        "type": str,
        "active": bool,
        "currency_name": str,
        "cik": str,
        "composite_figi": str,
        "share_class_figi": str,
        "last_updated_utc": str,
        "delisted_utc": str,
    },
    sort="ticker",
    order="asc",
    limit=100,
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


@router.get("/v3/reference/tickers")
async def list_tickers(request: Request) -> dict[str, Any]:
    """Listed tickers, `active` ones unless asked otherwise; `date` asks for the list of an earlier day."""
    question = read_question(request)
    question.parameters.setdefault("active", "true")
    if "exchange" in question.parameters:
        question.parameters.setdefault("primary_exchange", question.parameters["exchange"])
    day = _day_asked(question.parameters.get("date"), question.day)
    rows = [ticker_fields(listing, day) for listing in exchange_of(request).market.listings(day)]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(TICKERS.columns, pl.String()) | {"active": pl.Boolean()})
    wanted = question.parameters.get("search", "")
    found = pl.any_horizontal(pl.col("ticker", "name").str.to_lowercase().str.contains(wanted.lower(), literal=True))
    return answer_page(request, question, frame.filter(found), TICKERS)


@router.get("/v3/reference/tickers/{ticker}")
async def ticker_details(request: Request, ticker: str) -> dict[str, Any]:
    """One ticker and the company behind it, as known on the clock's day or on an earlier `date`."""
    market = exchange_of(request).market
    day = _day_asked(request.query_params.get("date"), today(request))
    listing = market.listing(ticker)
    if listing is None or listing.listed_date > day:
        raise PolygonError(404, "Ticker not found.", "NOT_FOUND")
    known = listing.as_of(day)
    capital = _outstanding(known, market, day), _last_close(market, known, min(day, _closed(request)))
    return {"results": details_body(known, day, *capital), "status": "OK", "request_id": request_id()}


@router.get("/v3/reference/splits")
async def list_splits(request: Request) -> dict[str, Any]:
    """Splits executed by the clock's day, newest first."""
    question, market = read_question(request), exchange_of(request).market
    splits = market.splits(market.sessions()[0], question.day).with_columns(
        (pl.col("split_from") > pl.col("split_to")).alias("reverse_split")
    )
    body = answer_page(request, question, splits, SPLITS)
    for row in body["results"]:
        del row["reverse_split"]  # asked by, never sent
    return _identified(body, "execution_date")


@router.get("/v3/reference/dividends")
async def list_dividends(request: Request) -> dict[str, Any]:
    """Cash dividends that went ex by the clock's day, newest first."""
    question, market = read_question(request), exchange_of(request).market
    dividends = market.dividends(market.sessions()[0], question.day).with_columns(
        pl.lit("USD").alias("currency"), pl.lit("CD").alias("dividend_type"), pl.lit(4).alias("frequency")
    )
    return _identified(answer_page(request, question, dividends, DIVIDENDS), "ex_dividend_date")


def _day_asked(text: str | None, known: date) -> date:
    if not text:
        return known
    try:
        asked = date.fromisoformat(text)
    except ValueError as error:
        raise PolygonError(400, f"Invalid parameter 'date': expected a date as YYYY-MM-DD, not '{text}'") from error
    if asked > known:
        raise PolygonError(400, f"Invalid parameter 'date': {asked} is in the future")
    return asked


def _identified(body: dict[str, Any], day: str) -> dict[str, Any]:
    """Every row with an id that is a function of what happened, to whom and when."""
    for row in body["results"]:
        row["id"] = "E" + sha256(f"{day}:{row['ticker']}:{row[day]}".encode()).hexdigest()
    return body


def _closed(request: Request) -> date:
    return exchange_of(request).clock.last_closed_session()


def _last_close(market: Market, listing: Listing, day: date) -> float | None:
    closes = market.history(listing.ticker, listing.listed_date, day).get_column("close")
    return None if closes.is_empty() else float(closes[-1])


def _outstanding(listing: Listing, market: Market, day: date) -> int | None:
    """Shares outstanding in shares of that day: every split until then multiplies them."""
    if listing.shares_outstanding is None:
        return None
    splits = market.splits(market.sessions()[0], day).filter(pl.col("ticker") == listing.ticker)
    return int(listing.shares_outstanding * (splits["split_to"] / splits["split_from"]).product())
