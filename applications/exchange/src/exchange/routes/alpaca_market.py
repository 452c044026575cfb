"""`/v2/assets`, `/v2/clock`, `/v2/calendar`: what can be traded, and when.

No listing is shown before the clock has reached it.
"""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from exchange.bodies.alpaca_market import asset_body, calendar_body, clock_body
from exchange.listings import find_asset
from exchange.responses import refusals
from exchange.responses.alpaca import AssetBody, CalendarDayBody, ClockBody
from exchange.routes.alpaca import AlpacaRoute, require_key_pair
from exchange.routes.dependencies import TheExchange
from internal.dates import FIRST_DAY, sessions
from internal.venue import rejections

LAST_CALENDAR_DAY = date(2029, 12, 31)  # as the real calendar

router = APIRouter(
    prefix="/v2",
    route_class=AlpacaRoute,
    responses=refusals.ALPACA,
    dependencies=[Depends(require_key_pair)],
    tags=["alpaca market"],
)


@router.get("/assets")
def list_assets(
    exchange: TheExchange,
    status: Literal["active", "inactive"] | None = None,
    asset_class: str = "us_equity",
    primary_exchange: Annotated[str | None, Query(alias="exchange")] = None,
    attributes: str | None = None,
) -> list[AssetBody]:
    """Every asset known on the clock's day, or those with any of the attributes; this exchange lists stocks alone."""
    today = exchange.clock.today()
    if asset_class != "us_equity":
        return []
    bodies = (asset_body(listing, today) for listing in exchange.market.listings(today))
    wanted = None if attributes is None else {name.strip() for name in attributes.split(",")}
    return [
        body
        for body in bodies
        if status in {None, body.status}
        and primary_exchange in {None, body.exchange}
        and (wanted is None or wanted & set(body.attributes))
    ]


@router.get("/assets/{symbol_or_asset_id:path}")
def get_asset(exchange: TheExchange, symbol_or_asset_id: str) -> AssetBody:
    """One asset by symbol or id."""
    today = exchange.clock.today()
    listing = find_asset(exchange.market, symbol_or_asset_id, today)
    if listing is None:
        raise rejections.not_found(f"asset not found for {symbol_or_asset_id}")
    return asset_body(listing, today)


@router.get("/clock")
def get_clock(exchange: TheExchange) -> ClockBody:
    """The exchange's clock."""
    return clock_body(exchange.clock.reading())


@router.get("/calendar")
def get_calendar(start: date = FIRST_DAY, end: date = LAST_CALENDAR_DAY) -> list[CalendarDayBody]:
    """Sessions from start to end, both included."""
    if end < start:
        raise rejections.invalid_field("end must not be before start")
    first, last = max(start, FIRST_DAY), min(end, LAST_CALENDAR_DAY)
    return [calendar_body(day) for day in sessions(first, last)] if first <= last else []
