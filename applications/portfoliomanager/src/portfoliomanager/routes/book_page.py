"""The Book page over HTTP: what is held, why, and how near each exit is."""

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Annotated, cast

import polars as pl
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from internal.dates import last_closed_session, previous_session, sessions
from internal.pages.responses import page_response
from portfoliomanager.equal_weight import EqualWeightPath
from portfoliomanager.pages.betas import BETA_SESSIONS, measure_betas
from portfoliomanager.pages.book import BookInputs, BookView, list_lines, read_closes
from portfoliomanager.pages.exposures import read_names, read_sectors
from portfoliomanager.pages.frame import Page
from portfoliomanager.pages.fund import Holdings, find_exposures
from portfoliomanager.pages.rendering import render_page
from portfoliomanager.pages.sources import BROKER, DATAMANAGER, Found, ask
from portfoliomanager.routes.held_positions import Decided, find_foreign, read_decided
from portfoliomanager.routes.page_frame import gather_frame
from portfoliomanager.services import RequestServices, Services

SPARK_SESSIONS = 60
router = APIRouter(tags=["pages"])
MARKET_SECONDS = 30.0  # closes of 8,000 tickers over 60 sessions, when the data service is busy
WithBetas = Annotated[
    bool, Query(alias="beta", description="With the betas, for which the page asks itself once it is shown")
]
Search = Annotated[str, Query(max_length=100, description="Words of ticker, company or sector")]


@router.get("/book", summary="Page: the positions", response_class=HTMLResponse)
async def get_book_page(
    request: Request,
    services: RequestServices,
    q: Search = "",
    with_betas: WithBetas = False,  # noqa: FBT002 - a query parameter
) -> HTMLResponse:
    """Each position with weight, gain, band and reason, and what others hold in the account; it only reads."""
    frame, holdings = await asyncio.gather(
        gather_frame(request, Page.BOOK),
        ask(BROKER, lambda: Holdings(services.broker.account(), services.broker.positions())),
    )
    last = last_closed_session(frame.moment) if frame.moment else None
    held = [position.ticker for position in holdings.value.positions] if holdings.value else []
    foreign, decided, details, closes, market = await asyncio.gather(
        find_foreign(services, holdings),
        ask(DATAMANAGER, lambda: read_decided(services)),
        ask(DATAMANAGER, services.details.read),
        ask(DATAMANAGER, lambda: _read_closes(services, held, last)),
        _ask_market(services, last, waits=with_betas),
    )
    inputs = _make_inputs(last, decided.value, closes.value, details.value, market.value)
    lines = list_lines(holdings.value, foreign.value or (), inputs, q) if holdings.value else ()
    problems = tuple(one for one in cast("tuple[Found[object], ...]", (decided, closes, details)) if one.problem)
    exposures = find_exposures(holdings, Found(details.source, inputs.sectors, details.problem))
    is_open = market.value is None and not market.problem
    view = BookView(frame, holdings, lines, foreign, exposures, problems[:1], q, are_betas_asked_later=is_open)
    return page_response(request, render_page("book.html", frame, view))


def _read_closes(services: Services, held: Sequence[str], last: date | None) -> pl.DataFrame:
    if not held or last is None:
        return pl.DataFrame()
    first, columns = previous_session(last, BETA_SESSIONS), ("ticker", "date", "close")
    bars, _ = services.data.bars(first, last, adjusted_as_of=last, columns=columns, tickers=held)
    return bars


async def _ask_market(services: Services, last: date | None, *, waits: bool) -> Found[EqualWeightPath]:
    """The market of the betas, which is computed where the page `waits` for it, else answered if it is remembered."""
    if last is None:
        return Found(DATAMANAGER, EqualWeightPath())
    first = previous_session(last, BETA_SESSIONS)
    if waits:
        return await ask(DATAMANAGER, lambda: services.recent_market.path(first, last), MARKET_SECONDS)
    return Found(DATAMANAGER, services.recent_market.known(first, last))


def _make_inputs(
    last: date | None,
    decided: Decided | None,
    closes: pl.DataFrame | None,
    details: pl.DataFrame | None,
    market: EqualWeightPath | None,
) -> BookInputs:
    days = sessions(previous_session(last, SPARK_SESSIONS - 1), last) if last else ()
    bars = None if closes is None or closes.is_empty() else closes
    return BookInputs(
        last=last,
        portfolio=decided.portfolio if decided else None,
        openings=decided.openings if decided else None,
        closes=None if bars is None else read_closes(bars.filter(pl.col("date").is_in(days))),
        days=days,
        names=None if details is None else read_names(details),
        sectors=None if details is None else read_sectors(details),
        betas=None if bars is None or market is None else measure_betas(bars, market),
    )
