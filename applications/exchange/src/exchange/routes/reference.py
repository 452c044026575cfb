"""Polygon's lists of tickers, their details and their changes (https://polygon.io/docs/rest/stocks).

Nothing of the future is served: listings are as known on the clock's day.
"""

from datetime import date

import polars as pl
from fastapi import APIRouter, Depends, Request

from exchange.listings import find_listing
from exchange.responses import refusals
from exchange.responses.polygon import (
    DetailsBody,
    TickerEventsBody,
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
from exchange.routes.polygon_pages import ListShape, cut_page, read_list_request
from exchange.routes.reference_details import ticker_details, ticker_events, ticker_row
from internal.venue.market.listing import Listing
from internal.venue.market.protocol import MarketData

router = APIRouter(
    route_class=PolygonRoute, responses=refusals.POLYGON, dependencies=[Depends(require_key)], tags=["polygon"]
)

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


@router.get("/vX/reference/tickers/{name:path}/events", response_model_exclude_none=True)
async def get_ticker_events(request: Request, name: str) -> TickerEventsBody:
    """Every ticker that a security had by the clock's day, newest first; asked by its ticker or composite FIGI."""
    market, day = exchange_of(request).market, today(request)
    found = find_listing(market, name, day)
    if found is None:
        found = next((one for one in market.listings(day) if name == one.composite_figi), None)
    if found is None:
        raise PolygonError(404, "Entity not found.", "NOT_FOUND")
    return TickerEventsBody(results=ticker_events(found.as_of(day)))


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


def _last_close(market: MarketData, listing: Listing, day: date) -> float | None:
    closes = market.history(listing.ticker, listing.listed_date, day).get_column("close")
    return None if closes.is_empty() else float(closes[-1])


def _shares_outstanding(listing: Listing, market: MarketData, day: date) -> int | None:
    """Shares outstanding in shares of that day: every split until then multiplies them."""
    if listing.shares_outstanding is None:
        return None
    names = [listing.ticker, *(period.ticker for period in listing.tickers)]
    splits = market.splits(market.sessions()[0], day).filter(pl.col("ticker").is_in(names))
    return int(listing.shares_outstanding * (splits["split_to"] / splits["split_from"]).product())
