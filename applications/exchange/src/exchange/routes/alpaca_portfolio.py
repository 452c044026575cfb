"""`/v2/account/portfolio/history`: the account's equity and profit over time."""

from datetime import date, datetime, time, timedelta
from typing import Literal

from fastapi import APIRouter, Depends

from exchange.portfolio_history import (
    Account,
    Reporting,
    Span,
    Timeframe,
    choose_timeframe,
    make_history,
    read_period,
)
from exchange.responses import refusals
from exchange.responses.alpaca_account import PortfolioHistoryBody
from exchange.routes.alpaca import AlpacaRoute, require_key_pair
from exchange.routes.dependencies import TheExchange
from internal.venue import rejections
from internal.venue.clock import NEW_YORK
from internal.venue.repository import HistoryQuery

DEFAULT_PERIOD = "1M"
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=NEW_YORK), datetime(2200, 1, 1, tzinfo=NEW_YORK)
LONGEST = timedelta(days=100 * 365)

router = APIRouter(
    prefix="/v2/account/portfolio",
    route_class=AlpacaRoute,
    responses=refusals.ALPACA,
    dependencies=[Depends(require_key_pair)],
    tags=["alpaca account"],
)


@router.get("/history", response_model_exclude_none=True)
def get_portfolio_history(  # noqa: PLR0913 - the parameters of the real endpoint
    exchange: TheExchange,
    *,
    period: str | None = None,
    timeframe: Timeframe | None = None,
    intraday_reporting: Reporting | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    pnl_reset: Literal["per_day", "no_reset"] = "per_day",
    date_start: date | None = None,
    date_end: date | None = None,
    extended_hours: bool = False,
    cashflow_types: str = "NONE",
) -> PortfolioHistoryBody:
    """Equity and profit in windows; at most two of `start`, `end` and `period`."""
    now = exchange.clock.now()
    begin = _local(start) if date_start is None else _midnight(date_start)
    stop = _local(end) if date_end is None else _midnight(date_end) + timedelta(days=1)
    if period is not None and begin is not None and stop is not None:
        raise rejections.invalid_field("only two of start, end and period can be specified at the same time")
    length = min(read_period(period or DEFAULT_PERIOD), LONGEST)
    last = min(now, stop or (begin + length if begin is not None and period is not None else now))
    first = begin or _within_calendar(last - length)
    if first > last:
        raise rejections.invalid_field("start must be before end")
    reporting = intraday_reporting or (Reporting.EXTENDED_HOURS if extended_hours else Reporting.MARKET_HOURS)
    span = Span(first, last, choose_timeframe(timeframe, last - first), reporting, pnl_reset == "per_day")
    account = Account(exchange.repository.equity_points(), exchange.repository.find_history(HistoryQuery(after=first)))
    body = make_history(account, span, _cashflow_types(cashflow_types))
    return body if cashflow_types.upper() != "NONE" else body.model_copy(update={"cashflow": None})


def _local(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    return _within_calendar(moment if moment.tzinfo is not None else moment.replace(tzinfo=NEW_YORK))


def _midnight(day: date) -> datetime:
    return _within_calendar(datetime.combine(day, time(), NEW_YORK))


def _within_calendar(moment: datetime) -> datetime:
    """The moment, or the nearest with which dates can be reckoned in every time zone."""
    if moment.year < EARLIEST.year:
        return EARLIEST
    return LATEST if moment.year > LATEST.year else moment


def _cashflow_types(text: str) -> frozenset[str] | None:
    if text.upper() == "ALL":
        return None
    return frozenset() if text.upper() == "NONE" else frozenset(name.strip() for name in text.split(","))
