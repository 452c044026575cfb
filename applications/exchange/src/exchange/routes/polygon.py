"""Polygon's daily bars and market status (https://polygon.io/docs/rest/stocks/aggregates).

Nothing of the future is served: bars up to the last closed session, splits up to the clock's day.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import date, timedelta
from typing import Annotated, Literal
from urllib.parse import parse_qs, quote, urlencode

import polars as pl
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from exchange.listings import find_listing
from exchange.responses import refusals
from exchange.responses.polygon import AggregatesBody, MarketStatusBody
from exchange.routes.dependencies import TheConfiguration
from exchange.routes.polygon_actions import read_splits
from exchange.routes.polygon_answers import (
    PolygonError,
    PolygonRoute,
    exchange_of,
    require_key,
    today,
    write_body,
)
from exchange.routes.polygon_bars import WINDOWS, envelope, gather_windows, make_bar_bodies
from exchange.routes.polygon_status import status_body
from exchange.routes.polygon_times import midnight, parse_day
from internal.dates import is_session
from internal.price_adjustment import adjust_for_splits
from internal.venue.clock import NEW_YORK
from internal.venue.market.action_frame import actions_frame

router = APIRouter(
    route_class=PolygonRoute, responses=refusals.POLYGON, dependencies=[Depends(require_key)], tags=["polygon"]
)

type Timespan = Literal["second", "minute", "hour", "day", "week", "month", "quarter", "year"]
type Direction = Literal["asc", "desc"]

CLOSING_HOUR = 16
LARGEST_LIMIT, DEFAULT_LIMIT = 50_000, 5_000
TODAY_TOO_EARLY = "Attempted to request today's data before end of day. Please upgrade your plan at the vendor's page"
NOT_IN_PLAN = "Your plan doesn't include this data timeframe. This exchange holds daily bars up to its own clock"


@router.get("/v2/aggs/grouped/locale/us/market/stocks/{day}", response_model=AggregatesBody)
async def get_grouped_daily(
    request: Request, configuration: TheConfiguration, day: str, *, adjusted: bool = True
) -> Response:
    """Every ticker's bar of one session; a weekend or holiday is 200 with `resultsCount` 0 and no `results`."""
    asked = parse_day(day, "date")
    _refuse_future(asked, request)
    exchange = exchange_of(request)
    bars = adjusted_bars(exchange.market.bars(asked), request, adjusted=adjusted)
    return write_body(
        envelope(make_bar_bodies(bars, CLOSING_HOUR), configuration.exchange_bars_status, adjusted=adjusted)
    )


@router.get("/v2/aggs/ticker/{ticker:path}/prev", response_model=AggregatesBody)
async def get_previous_close(
    request: Request, configuration: TheConfiguration, ticker: str, *, adjusted: bool = True
) -> Response:
    """The ticker's latest bar of a closed session."""
    exchange = exchange_of(request)
    closed, ticker = exchange.clock.last_closed_session(), _known_ticker(request, ticker)
    bars = exchange.market.history(ticker, exchange.market.sessions()[0], closed).tail(1)
    bodies = make_bar_bodies(adjusted_bars(bars, request, adjusted=adjusted), CLOSING_HOUR)
    return write_body(envelope(bodies, configuration.exchange_bars_status, adjusted=adjusted, ticker=ticker))


@router.get("/v2/aggs/ticker/{ticker:path}/range/{multiplier}/{timespan}/{start}/{end}", response_model=AggregatesBody)
async def get_aggregates(  # noqa: PLR0913, PLR0917 - the vendor's path and query have this many parts
    request: Request,
    configuration: TheConfiguration,
    ticker: str,
    multiplier: Annotated[int, Path(ge=1, le=366)],
    timespan: Timespan,
    start: str,
    end: str,
    *,
    adjusted: bool = True,
    sort: Direction = "asc",
    limit: Annotated[int, Query(ge=1, le=LARGEST_LIMIT)] = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Response:
    """One ticker's bars of a range, in windows of days, weeks, months, quarters or years; daily bars are the finest."""
    first, last = parse_day(start, "from"), parse_day(end, "to")
    if last < first:
        raise PolygonError(400, "The parameter 'to' cannot be a time that occurs before 'from'")
    if timespan not in WINDOWS:
        raise PolygonError(403, NOT_IN_PLAN, "NOT_AUTHORIZED")
    if cursor is not None:
        adjusted, sort, limit = _open_cursor(cursor)
    exchange, ticker = exchange_of(request), _known_ticker(request, ticker)
    bars = exchange.market.history(ticker, first, min(last, exchange.clock.last_closed_session()))
    windows = gather_windows(adjusted_bars(bars, request, adjusted=adjusted), f"{multiplier}{WINDOWS[timespan]}")
    windows = windows.sort("date", descending=sort == "desc")
    bodies = make_bar_bodies(windows.head(limit), 0, with_ticker=False)
    body = envelope(bodies, configuration.exchange_bars_status, adjusted=adjusted, ticker=ticker).model_copy(
        update={"query_count": bars.height}
    )
    if windows.height > limit:
        turn = windows.get_column("date")[limit if sort == "asc" else limit - 1]
        span = (midnight(turn), end) if sort == "asc" else (start, midnight(turn - timedelta(days=1)))
        path = f"v2/aggs/ticker/{quote(ticker, safe='')}/range/{multiplier}/{timespan}/{span[0]}/{span[1]}"
        cursor_text = _cursor(sort, limit, adjusted=adjusted)
        body = body.model_copy(update={"next_url": f"{request.base_url}{path}?cursor={cursor_text}"})
    return write_body(body)


@router.get("/v1/marketstatus/now")
async def get_market_status(request: Request) -> MarketStatusBody:
    """Whether the market trades at the exchange's own moment; `serverTime` is that moment in New York."""
    return status_body(exchange_of(request).clock.now().astimezone(NEW_YORK))


def _known_ticker(request: Request, ticker: str) -> str:
    """The ticker as it is listed: a class share may be asked for as `BF.B` or as `BF/B`."""
    listing = find_listing(exchange_of(request).market, ticker)
    return ticker if listing is None else listing.ticker


def _refuse_future(day: date, request: Request) -> None:
    """403, as the vendor answers, for a session that has not closed on the exchange's clock."""
    if day > today(request):
        raise PolygonError(403, NOT_IN_PLAN, "NOT_AUTHORIZED")
    if day > exchange_of(request).clock.last_closed_session() and is_session(day):
        raise PolygonError(403, TODAY_TOO_EARLY, "NOT_AUTHORIZED")


def adjusted_bars(bars: pl.DataFrame, request: Request, *, adjusted: bool) -> pl.DataFrame:
    """The bars in shares of the clock's day, or as traded."""
    if not adjusted or bars.is_empty():
        return bars
    first = bars.get_column("date").to_list()[0]
    later = exchange_of(request).market.corporate_actions(first + timedelta(days=1), today(request))
    return adjust_for_splits(bars, read_splits(actions_frame(later)))


def _cursor(sort: Direction, limit: int, *, adjusted: bool) -> str:
    held = urlencode({"adjusted": str(adjusted).lower(), "limit": limit, "sort": sort})
    return urlsafe_b64encode(held.encode()).decode().rstrip("=")


def _open_cursor(cursor: str) -> tuple[bool, Direction, int]:
    try:
        held = parse_qs(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode())
        limit = min(max(1, int(held["limit"][0])), LARGEST_LIMIT)
        return held["adjusted"] == ["true"], "desc" if held["sort"] == ["desc"] else "asc", limit
    except (ValueError, KeyError) as error:
        raise PolygonError(400, "Invalid parameter 'cursor': use next_url as it was given") from error
