"""The page of one ticker over HTTP: its price and stored forecasts, the fund's trades in it, and what it is."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import date
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse

from internal.action_kinds import ActionKind
from internal.dates import last_closed_session, previous_session
from internal.errors import NotFoundError
from internal.pages.responses import page_response
from internal.trading.positions import Entry
from portfoliomanager.fill_days import list_fill_days
from portfoliomanager.pages.book import BookInputs, PositionLine, list_lines
from portfoliomanager.pages.corporate_actions import ActionLine, list_actions
from portfoliomanager.pages.frame import Page
from portfoliomanager.pages.fund import Holdings
from portfoliomanager.pages.past_forecasts import read_forecasts
from portfoliomanager.pages.rendering import render_page
from portfoliomanager.pages.sources import BROKER, DATAMANAGER, JOURNAL, Found, ask
from portfoliomanager.pages.ticker import (
    Quotes,
    TickerOrder,
    TickerView,
    is_of,
    read_details,
)
from portfoliomanager.routes.held_positions import find_foreign, read_decided
from portfoliomanager.routes.page_frame import gather_frame
from portfoliomanager.services import RequestServices, Services

SHOWN_SESSIONS = 126  # of closes and of stored forecasts: half a year
ACTION_SESSIONS = 504  # of corporate actions: two years
NO_CLOCK = "the time of the market is not known"
SECONDS = 10.0  # forecasts of half a year among 8,000 tickers take a while

router = APIRouter(tags=["pages"])


@router.get("/forecasts/{ticker:path}", summary="Page: one ticker", response_class=HTMLResponse)
async def get_ticker_page(
    request: Request, services: RequestServices, ticker: Annotated[str, Path(min_length=1, max_length=32)]
) -> Response:
    """Price under past forecasts, the forecast now, coverage, orders, corporate actions and details; it only reads."""
    frame = await gather_frame(request, Page.FORECASTS)
    last = last_closed_session(frame.moment) if frame.moment else None
    details, quotes, actions, position = await asyncio.gather(
        ask(DATAMANAGER, lambda: read_details(services.details.read(), ticker)),
        _ask_of(last, lambda day: _read_quotes(services, ticker, day)),
        _ask_of(last, lambda day: _read_actions(services, ticker, day)),
        _find_position(services, ticker, last),
    )
    security_id = details.value.security_id if details.value else ""
    orders = await _ask_of(last, lambda day: _read_orders(services, ticker, security_id, day), JOURNAL)
    view = TickerView(ticker, details, quotes, orders, position, actions)
    if view.is_unknown:
        return page_response(request, render_page("unknown_ticker.html", frame, view), HTTPStatus.NOT_FOUND)
    return page_response(request, render_page("ticker.html", frame, view))


async def _ask_of[T](last: date | None, question: Callable[[date], T], source: str = DATAMANAGER) -> Found[T]:
    """The answer to a question about the last closed session; a problem where that is not known."""
    if last is None:
        return Found(source, None, NO_CLOCK)
    return await ask(source, lambda: question(last), SECONDS)


def _read_quotes(services: Services, ticker: str, last: date) -> Quotes:
    first, columns = previous_session(last, SHOWN_SESSIONS - 1), ("date", "close")
    try:
        bars, _ = services.data.bars(first, last, adjusted_as_of=last, columns=columns, tickers=(ticker,))
    except NotFoundError:  # on no day is there such a ticker
        return Quotes({}, ())
    closes: dict[date, float] = dict(bars.sort("date").iter_rows())
    predictions = services.data.predictions(first, last, named_as_of=last, tickers=(ticker,))
    return Quotes(closes, read_forecasts(predictions, closes))


def _read_actions(services: Services, ticker: str, last: date) -> Sequence[ActionLine]:
    first = previous_session(last, ACTION_SESSIONS)
    found = services.data.corporate_actions(first, last, list(ActionKind), tickers=(ticker,), named_as_of=last)
    return list_actions(found)


def _read_orders(services: Services, ticker: str, security_id: str, last: date) -> Sequence[TickerOrder]:
    services.journal.refresh()
    orders = [order for order in services.journal.orders() if is_of(order, ticker, security_id)]
    entries = list_fill_days(orders)
    factors = services.market_data.price_factors(entries, last) if entries else dict[Entry, float]()
    return [TickerOrder.of(order, factors) for order in reversed(orders)]


async def _find_position(services: Services, ticker: str, last: date | None) -> Found[PositionLine | None]:
    """What the fund holds of the ticker, as the Book page describes it; nothing where it holds none."""
    holdings = await ask(BROKER, lambda: Holdings(services.broker.account(), services.broker.positions()))
    if holdings.value is None:
        return Found(BROKER, None, holdings.problem)
    held = Holdings(holdings.value.account, [one for one in holdings.value.positions if one.ticker == ticker])
    if not held.positions:
        return Found(BROKER, None)
    decided = await ask(DATAMANAGER, lambda: read_decided(services))
    inputs = BookInputs(last=last)
    if decided.value:
        inputs = BookInputs(last=last, portfolio=decided.value.portfolio, openings=decided.value.openings)
    if inputs.portfolio and any(row.ticker == ticker for row in inputs.portfolio.rows):
        return Found(BROKER, next(iter(list_lines(held, (), inputs)), None))
    foreign = await find_foreign(services, holdings)  # a costly question about the whole account
    return Found(BROKER, next(iter(list_lines(held, foreign.value or (), inputs)), None))
