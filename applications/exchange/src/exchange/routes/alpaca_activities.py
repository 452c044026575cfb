"""`/v2/account/activities`: the account's history, in pages."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from exchange.bodies.alpaca_activities import activity_body, activity_id, moment_of_activity_id
from exchange.responses import refusals
from exchange.responses.alpaca import FillBody, MovementBody
from exchange.routes.activity_filters import Category, select_types
from exchange.routes.alpaca import AlpacaRoute, require_key_pair
from exchange.routes.dependencies import TheExchange
from exchange.services import Exchange
from internal.venue import rejections
from internal.venue.clock import NEW_YORK
from internal.venue.history import ActivityType
from internal.venue.repository import HistoryQuery

MILLISECOND = timedelta(milliseconds=1)

router = APIRouter(
    prefix="/v2/account/activities",
    route_class=AlpacaRoute,
    responses=refusals.ALPACA,
    dependencies=[Depends(require_key_pair)],
    tags=["alpaca account"],
)


@dataclass(frozen=True)
class ActivityPage:
    """The page that a request asks for: the query without `page_token`, and the token."""

    query: HistoryQuery
    token: str | None


def _read_page(  # noqa: PLR0913, PLR0917 - the filters of the real endpoint
    date: date | None = None,
    after: datetime | date | None = None,
    until: datetime | date | None = None,
    direction: Literal["asc", "desc"] = "desc",
    page_size: Annotated[int, Query(ge=1, le=100)] = 100,
    page_token: str | None = None,
) -> ActivityPage:
    """The filters that both activity endpoints take; the newest 100 rows by default."""
    query = HistoryQuery(
        session=date,
        after=None if after is None else _moment(after),
        until=None if until is None else _moment(until),
        newest_first=direction == "desc",
        limit=page_size,
    )
    return ActivityPage(query, page_token)


type AskedPage = Annotated[ActivityPage, Depends(_read_page)]


def _moment(value: datetime | date) -> datetime:
    """A moment; a bare date is its midnight in New York."""
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=NEW_YORK)
    return value if value.tzinfo is not None else value.replace(tzinfo=NEW_YORK)


@router.get("", response_model_exclude_none=True)
def list_activities(
    exchange: TheExchange, page: AskedPage, activity_types: str | None = None, category: Category | None = None
) -> list[FillBody | MovementBody]:
    """The account's history, of all types, of the named ones, or of a category."""
    return _find_page(exchange, page, select_types(activity_types, category))


@router.get("/{activity_type}", response_model_exclude_none=True)
def list_activities_of_type(
    exchange: TheExchange, activity_type: str, page: AskedPage
) -> list[FillBody | MovementBody]:
    """The account's history of one type."""
    return _find_page(exchange, page, select_types(activity_type, None))


def _find_page(
    exchange: Exchange, page: ActivityPage, types: frozenset[ActivityType] | None
) -> list[FillBody | MovementBody]:
    """The rows that follow the one named by the page's token."""
    query = replace(page.query, types=types)
    if page.token is not None:
        query = replace(query, beyond=_sequence_of(exchange, query, page.token))
    account = exchange.core.state.identity.account_id
    return [activity_body(account, row) for row in exchange.repository.find_history(query)]


def _sequence_of(exchange: Exchange, query: HistoryQuery, token: str) -> int:
    """The number of the row with that id. Raises RequestRefusedError unless it is one of the query's rows."""
    moment = moment_of_activity_id(token)
    if moment is not None:
        account = exchange.core.state.identity.account_id
        same_moment = HistoryQuery(after=moment - MILLISECOND, until=moment + MILLISECOND)
        for row in exchange.repository.find_history(same_moment):
            if activity_id(account, row) == token and query.selects(row):
                return row.sequence
    raise rejections.invalid_field("page_token is invalid")
