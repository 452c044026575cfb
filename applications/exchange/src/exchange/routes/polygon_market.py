"""Polygon's holidays, types of tickers, open and close of a day, and snapshots (https://polygon.io/docs/rest/stocks).

Nothing of the future is served: of a session that runs only its open is known.
"""

from datetime import date
from typing import Literal

import polars as pl
from fastapi import APIRouter, Depends, Request

from exchange.listings import find_listing
from exchange.responses import refusals
from exchange.responses.polygon_market import (
    HolidayBody,
    OpenCloseBody,
    SnapshotBar,
    SnapshotBody,
    SnapshotsBody,
    TickerSnapshot,
    TickerType,
    TickerTypesBody,
)
from exchange.routes.polygon import adjusted_bars
from exchange.routes.polygon_answers import PolygonError, PolygonRoute, exchange_of, require_key, today
from exchange.routes.polygon_holidays import list_holidays
from exchange.routes.polygon_times import parse_day
from internal.dates import previous_session
from internal.security_types import DESCRIPTIONS
from internal.venue.clock import Phase, read_clock

router = APIRouter(
    route_class=PolygonRoute, responses=refusals.POLYGON, dependencies=[Depends(require_key)], tags=["polygon"]
)

MOVERS = 20


@router.get("/v1/marketstatus/upcoming", response_model_exclude_none=True)
async def get_market_holidays(request: Request) -> list[HolidayBody]:
    """The closed days and early closes of the next year."""
    return list_holidays(today(request))


@router.get("/v3/reference/tickers/types")
async def get_ticker_types(asset_class: str | None = None, locale: str | None = None) -> TickerTypesBody:
    """Every type that a ticker can have; this exchange lists US stocks alone."""
    served = asset_class in {None, "stocks"} and locale in {None, "us"}
    types = [TickerType(code=code, description=text) for code, text in DESCRIPTIONS.items()] if served else []
    return TickerTypesBody(results=types, count=len(types))


@router.get("/v1/open-close/{ticker:path}/{day}", response_model_exclude_none=True)
async def get_open_close(request: Request, ticker: str, day: str, *, adjusted: bool = True) -> OpenCloseBody:
    """One ticker's prices of a closed session; 404 where it did not trade."""
    asked, exchange = parse_day(day, "date"), exchange_of(request)
    listing = find_listing(exchange.market, ticker)
    name = ticker if listing is None else listing.ticker
    last = exchange.clock.last_closed_session()
    bars = exchange.market.history(name, asked, asked) if asked <= last else pl.DataFrame()
    if bars.is_empty():
        raise PolygonError(404, "Data not found.", "NOT_FOUND")
    row = adjusted_bars(bars, request, adjusted=adjusted).row(0, named=True)
    prices = {name: row[name] for name in ("open", "high", "low", "close", "volume")}
    return OpenCloseBody(date=asked.isoformat(), symbol=name, **prices)


@router.get("/v2/snapshot/locale/us/markets/stocks/tickers", response_model_exclude_none=True)
async def get_all_snapshots(request: Request, tickers: str | None = None) -> SnapshotsBody:
    """The latest state of every ticker that trades, or of the named ones."""
    wanted = None if not tickers else {name.strip() for name in tickers.split(",")}
    found = [one for one in _snapshots(request) if wanted is None or one.ticker in wanted]
    return SnapshotsBody(tickers=found, count=len(found))


@router.get("/v2/snapshot/locale/us/markets/stocks/tickers/{ticker:path}", response_model_exclude_none=True)
async def get_snapshot(request: Request, ticker: str) -> SnapshotBody:
    """The latest state of one ticker."""
    listing = find_listing(exchange_of(request).market, ticker)
    name = ticker if listing is None else listing.ticker
    for snapshot in _snapshots(request):
        if snapshot.ticker == name:
            return SnapshotBody(ticker=snapshot)
    raise PolygonError(404, "Ticker not found.", "NotFound")


@router.get("/v2/snapshot/locale/us/markets/stocks/{direction}", response_model_exclude_none=True)
async def get_movers(request: Request, direction: Literal["gainers", "losers"]) -> SnapshotsBody:
    """The twenty tickers that rose, or fell, most since the close before."""
    sign = -1 if direction == "gainers" else 1
    moved = [one for one in _snapshots(request) if one.todays_change_percent * sign < 0]
    found = sorted(moved, key=lambda one: (sign * one.todays_change_percent, one.ticker))[:MOVERS]
    return SnapshotsBody(tickers=found, count=len(found))


def _snapshots(request: Request) -> list[TickerSnapshot]:
    """Each ticker with a bar of the last session or the one before, by ticker."""
    exchange = exchange_of(request)
    now = exchange.clock.now()
    reading = read_clock(now)
    before = _bars_of(request, previous_session(reading.session))
    latest = {} if reading.phase is Phase.PRE_OPEN else _bars_of(request, reading.session)
    if reading.phase is Phase.OPEN:
        latest = {name: bar.at_open() for name, bar in latest.items()}
    updated = int(now.timestamp() * 1_000_000_000)
    names = sorted(latest.keys() | before.keys())
    return [
        _snapshot(name, latest.get(name, SnapshotBar()), before.get(name, SnapshotBar()), updated) for name in names
    ]


def _bars_of(request: Request, day: date) -> dict[str, SnapshotBar]:
    bars = exchange_of(request).market.bars(day)
    if bars.is_empty():
        return {}
    rows = adjusted_bars(bars, request, adjusted=True).select(
        "ticker", "open", "high", "low", "close", "volume", "volume_weighted_average_price"
    )
    return {
        name: SnapshotBar(
            open=opened, high=high, low=low, close=close, volume=volume, volume_weighted_average_price=vwap
        )
        for name, opened, high, low, close, volume, vwap in rows.iter_rows()
    }


def _snapshot(ticker: str, latest: SnapshotBar, before: SnapshotBar, updated: int) -> TickerSnapshot:
    change = latest.close - before.close if latest.close and before.close else 0.0
    return TickerSnapshot(
        ticker=ticker,
        day=latest,
        prev_day=before,
        todays_change=round(change, 4),
        todays_change_percent=round(100 * change / before.close, 4) if before.close else 0.0,
        updated=updated,
    )
