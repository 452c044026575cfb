"""`/v2/corporate_actions/announcements`: the older interface to corporate actions, by their dates."""

from datetime import date, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from exchange.bodies.alpaca_announcements import TYPES, announcement_body, announcement_id
from exchange.listings import ticker_named
from exchange.responses import refusals
from exchange.responses.alpaca_announcements import AnnouncementBody
from exchange.routes.alpaca import AlpacaRoute, require_key_pair
from exchange.routes.dependencies import TheExchange
from exchange.services import Exchange
from internal.venue import rejections
from internal.venue.corporate_actions import CorporateAction

LONGEST_RANGE = timedelta(days=90)
LOOK_AROUND = timedelta(days=100)  # an action's other dates are so near to its ex-date

type DateType = Literal["declaration_date", "ex_date", "record_date", "payable_date"]

router = APIRouter(
    prefix="/v2/corporate_actions/announcements",
    route_class=AlpacaRoute,
    responses=refusals.ALPACA,
    dependencies=[Depends(require_key_pair)],
    tags=["alpaca corporate actions"],
)


@router.get("", response_model_exclude_none=True)
def list_announcements(  # noqa: PLR0913, PLR0917 - the filters of the real endpoint
    exchange: TheExchange,
    ca_types: str,
    since: date,
    until: date,
    symbol: str | None = None,
    cusip: str | None = None,
    date_type: Annotated[DateType, Query()] = "ex_date",
) -> list[AnnouncementBody]:
    """Announcements with a date in the range, both ends included, as far as the exchange's clock."""
    if until < since or until - since > LONGEST_RANGE:
        raise rejections.invalid_field("the date range must be at most 90 days")
    wanted = {name.strip().lower() for name in ca_types.split(",")}
    if unknown := wanted - set(TYPES.values()):
        raise rejections.invalid_field(f"invalid ca_types: {', '.join(sorted(unknown))}")
    if cusip is not None:
        return []
    ticker = None if symbol is None else ticker_named(exchange.market, symbol, exchange.clock.today())
    bodies = [announcement_body(action) for action in _known_actions(exchange, since, until, ticker)]
    return [
        body
        for body in bodies
        if body.ca_type in wanted and (day := body.date_named(date_type)) is not None and since <= day <= until
    ]


def _known_actions(exchange: Exchange, since: date, until: date, ticker: str | None) -> list[CorporateAction]:
    last = min(until + LOOK_AROUND, exchange.clock.today())
    actions = exchange.market.corporate_actions(since - LOOK_AROUND, last)
    return [one for one in actions if one.kind in TYPES and ticker in {None, one.ticker}]


@router.get("/{announcement}", response_model_exclude_none=True)
def get_announcement(exchange: TheExchange, announcement: str) -> AnnouncementBody:
    """One announcement."""
    first = exchange.market.sessions()[0]
    for action in exchange.market.corporate_actions(first, exchange.clock.today()):
        if action.kind in TYPES and announcement_id(action) == announcement:
            return announcement_body(action)
    raise rejections.not_found(f"announcement not found for {announcement}")
