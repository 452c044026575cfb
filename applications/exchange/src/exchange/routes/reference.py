"""Polygon's reference lists: tickers, one ticker's details, splits and dividends (https://polygon.io/docs/rest/stocks).

Nothing of the future is served: listings as known on the clock's day, splits and dividends that take effect by then.
"""

from collections.abc import Mapping
from datetime import date
from hashlib import sha256

import polars as pl
from fastapi import APIRouter, Depends, Request

from exchange.listings import find_listing
from exchange.responses.polygon import (
    DetailsBody,
    DividendRow,
    DividendsBody,
    SplitRow,
    SplitsBody,
    TickerRow,
    TickersBody,
)
from exchange.routes.polygon_answers import (
    PolygonError,
    PolygonRoute,
    exchange_of,
    require_key,
    today,
)
from exchange.routes.polygon_pages import JsonValue, ListShape, cut_page, read_list_request
from exchange.routes.reference_details import ticker_details, ticker_row
from internal.venue.market.listing import Listing
from internal.venue.market.protocol import MarketData

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


@router.get("/v3/reference/tickers", response_model_exclude_none=True)
async def list_tickers(request: Request) -> TickersBody:
    """Listed tickers, `active` ones unless asked otherwise; `date` asks for the list of an earlier day."""
    asked = read_list_request(request)
    asked.parameters.setdefault("active", "true")
    if "exchange" in asked.parameters:
        asked.parameters.setdefault("primary_exchange", asked.parameters["exchange"])
    day = _day_asked(asked.parameters.get("date"), asked.day)
    rows = [ticker_row(listing, day).model_dump() for listing in exchange_of(request).market.listings(day)]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(TICKERS.columns, pl.String()) | {"active": pl.Boolean()})
    wanted = asked.parameters.get("search", "")
    found = pl.any_horizontal(pl.col("ticker", "name").str.to_lowercase().str.contains(wanted.lower(), literal=True))
    page = cut_page(request, asked, frame.filter(found), TICKERS)
    tickers = [TickerRow.model_validate(row) for row in page.rows]
    return TickersBody(results=tickers, count=len(tickers), next_url=page.next_url)


@router.get("/v3/reference/tickers/{ticker:path}", response_model_exclude_none=True)
async def get_ticker_details(request: Request, ticker: str) -> DetailsBody:
    """One ticker and the company behind it, as known on the clock's day or on an earlier `date`."""
    market = exchange_of(request).market
    day = _day_asked(request.query_params.get("date"), today(request))
    listing = find_listing(market, ticker, day)
    if listing is None:
        raise PolygonError(404, "Ticker not found.", "NOT_FOUND")
    known = listing.as_of(day)
    shares = _shares_outstanding(known, market, day)
    close = _last_close(market, known, min(day, exchange_of(request).clock.last_closed_session()))
    return DetailsBody(results=ticker_details(known, day, shares, close))


@router.get("/v3/reference/splits", response_model_exclude_none=True)
async def list_splits(request: Request) -> SplitsBody:
    """Splits executed by the clock's day, newest first."""
    asked, market = read_list_request(request), exchange_of(request).market
    splits = market.splits(market.sessions()[0], asked.day).with_columns(
        (pl.col("split_from") > pl.col("split_to")).alias("reverse_split")
    )
    page = cut_page(request, asked, splits, SPLITS)
    rows = [SplitRow.model_validate(row | {"id": _event_id(row, "execution_date")}) for row in page.rows]
    return SplitsBody(results=rows, count=len(rows), next_url=page.next_url)


@router.get("/v3/reference/dividends", response_model_exclude_none=True)
async def list_dividends(request: Request) -> DividendsBody:
    """Cash dividends that went ex by the clock's day, newest first."""
    asked, market = read_list_request(request), exchange_of(request).market
    dividends = market.dividends(market.sessions()[0], asked.day).with_columns(
        pl.lit("USD").alias("currency"), pl.lit("CD").alias("dividend_type"), pl.lit(4).alias("frequency")
    )
    page = cut_page(request, asked, dividends, DIVIDENDS)
    rows = [DividendRow.model_validate(row | {"id": _event_id(row, "ex_dividend_date")}) for row in page.rows]
    return DividendsBody(results=rows, count=len(rows), next_url=page.next_url)


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


def _event_id(row: Mapping[str, JsonValue], day: str) -> str:
    """An id that is a function of what happened, to whom and when."""
    return "E" + sha256(f"{day}:{row['ticker']}:{row[day]}".encode()).hexdigest()


def _last_close(market: MarketData, listing: Listing, day: date) -> float | None:
    closes = market.history(listing.ticker, listing.listed_date, day).get_column("close")
    return None if closes.is_empty() else float(closes[-1])


def _shares_outstanding(listing: Listing, market: MarketData, day: date) -> int | None:
    """Shares outstanding in shares of that day: every split until then multiplies them."""
    if listing.shares_outstanding is None:
        return None
    splits = market.splits(market.sessions()[0], day).filter(pl.col("ticker") == listing.ticker)
    return int(listing.shares_outstanding * (splits["split_to"] / splits["split_from"]).product())
