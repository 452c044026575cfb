"""Alpaca's daily bars, of many symbols or of one (https://docs.alpaca.markets/reference/stockbars).

Nothing of the future is served, and of the consolidated feed nothing that is younger than the plan allows: a session's
bar is there once its close is that old.
"""

import re
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

import polars as pl
from fastapi import APIRouter, Depends, Query, Response

from exchange.bar_pages import Adjustment, Position, Selection, adjust_rows, read_rows
from exchange.bodies.alpaca_bars import take_iex_share, write_bars_by_symbol, write_bars_of_symbol
from exchange.listings import find_listing
from exchange.market_actions import read_known_actions
from exchange.responses import refusals
from exchange.responses.alpaca_data import BarsBody, SymbolBarsBody
from exchange.routes.alpaca import require_key_pair
from exchange.routes.alpaca_data_answers import AlpacaDataRoute, DataRefusedError
from exchange.routes.alpaca_data_times import first_day_at, parse_moment, read_token, write_token
from exchange.routes.dependencies import TheConfiguration, TheExchange
from exchange.services import Exchange
from exchange.symbol_names import make_names_frame, name_changes_of
from internal.dates import last_closed_session
from internal.venue.clock import NEW_YORK
from internal.venue.market.protocol import MarketData

router = APIRouter(
    prefix="/v2/stocks",
    route_class=AlpacaDataRoute,
    responses=refusals.ALPACA_DATA,
    dependencies=[Depends(require_key_pair)],
    tags=["alpaca data"],
)

LARGEST_LIMIT, DEFAULT_LIMIT = 10_000, 1_000
TIMEFRAMES = {"1Day", "1D"}
SYMBOL = re.compile(r"[A-Z][A-Z0-9]*([./][A-Z0-9]+)*")
RECENT_DATA = "subscription does not permit querying recent SIP data"


class BarParameters:
    """The query of both endpoints, checked; DataRefusedError says what is wrong."""

    def __init__(  # noqa: PLR0913, PLR0917 - the vendor's query has this many parts
        self,
        exchange: TheExchange,
        configuration: TheConfiguration,
        timeframe: str = "",
        start: str | None = None,
        end: str | None = None,
        limit: Annotated[int, Query(ge=1, le=LARGEST_LIMIT)] = DEFAULT_LIMIT,
        adjustment: str = "raw",
        asof: str | None = None,
        feed: Literal["sip", "iex"] = "sip",
        currency: str = "USD",
        page_token: str | None = None,
        sort: Literal["asc", "desc"] = "asc",
    ) -> None:
        if currency != "USD":
            raise DataRefusedError(400, f"invalid currency: {currency}")
        if timeframe not in TIMEFRAMES:
            raise DataRefusedError(400, f"invalid timeframe: {timeframe}" if timeframe else "timeframe is required")
        now = exchange.clock.now()
        delay = timedelta(minutes=configuration.exchange_sip_delay_minutes if feed == "sip" else 0)
        self.feed, self.limit, self.descending = feed, limit, sort == "desc"
        self.adjustments = read_adjustments(adjustment)
        self.as_of = read_as_of(asof, today_of(exchange))
        self.after = read_token(page_token)
        today = datetime.combine(today_of(exchange), datetime.min.time(), NEW_YORK)
        self.first = first_day_at(parse_moment(start, "start") if start else today)
        until = parse_moment(end, "end", end_of_day=True) if end else now - delay
        if delay and until > now - delay:
            raise DataRefusedError(403, RECENT_DATA)
        self.last = min(until.astimezone(NEW_YORK).date(), last_closed_session(now - delay))


@router.get("/bars", response_model=BarsBody)
def list_bars(
    exchange: TheExchange, parameters: Annotated[BarParameters, Depends()], symbols: str | None = None
) -> Response:
    """Daily bars of a comma-separated list of symbols; the limit counts the bars of all of them."""
    if not symbols:
        raise DataRefusedError(400, "symbols is required")
    rows, token = read_page(exchange, [read_symbol(exchange, text) for text in symbols.split(",")], parameters)
    return Response(write_bars_by_symbol(rows, token), media_type="application/json")


@router.get("/{symbol:path}/bars", response_model=SymbolBarsBody)
def list_symbol_bars(exchange: TheExchange, symbol: str, parameters: Annotated[BarParameters, Depends()]) -> Response:
    """Daily bars of one symbol."""
    rows, token = read_page(exchange, [read_symbol(exchange, symbol)], parameters)
    return Response(write_bars_of_symbol(rows, symbol, token), media_type="application/json")


def read_page(exchange: Exchange, symbols: list[str], parameters: BarParameters) -> tuple[pl.DataFrame, str | None]:
    """The page's rows, and the token of the next one where there is one."""
    actions = read_known_actions(exchange.market, exchange.faults.list_statements(), today_of(exchange))
    names = make_names_frame(sorted(set(symbols)), parameters.as_of, name_changes_of(actions))
    names = spell_as_listed(exchange.market, names)
    selection = Selection(names, parameters.first, parameters.last, parameters.descending, parameters.after)
    found = read_rows(exchange.market, selection, parameters.limit + 1)
    rows = found.head(parameters.limit)
    token = None
    if found.height > rows.height:
        token = write_token(Position(*rows.select("ticker", "date").row(-1)))
    effective = actions.filter(pl.col("effective_date") <= today_of(exchange))
    adjusted = adjust_rows(exchange.market, rows, effective, names, parameters.adjustments)
    return take_iex_share(adjusted) if parameters.feed == "iex" else adjusted, token


def spell_as_listed(market: MarketData, names: pl.DataFrame) -> pl.DataFrame:
    """The names with the tickers of class shares as the market spells them: `BF.B` may be listed as `BF/B`."""
    spelled = {
        ticker: listing.ticker
        for ticker in names.get_column("ticker")
        if ("." in ticker or "/" in ticker) and (listing := find_listing(market, ticker)) is not None
    }
    return names.with_columns(pl.col("ticker").replace(spelled))


def today_of(exchange: Exchange) -> date:
    """The day in New York on the exchange's clock."""
    return exchange.clock.now().astimezone(NEW_YORK).date()


def read_symbol(exchange: Exchange, text: str) -> str:
    """A symbol that was listed at some time by the exchange's clock, as the data API takes it."""
    listing = find_listing(exchange.market, text) if SYMBOL.fullmatch(text) else None
    if listing is None or listing.listed_date > today_of(exchange):
        raise DataRefusedError(400, f"invalid symbol: {text}")
    return text


def read_adjustments(text: str) -> frozenset[Adjustment]:
    """`raw` alone, `all` alone, or some of the others, separated by commas."""
    if text == "raw":
        return frozenset()
    if text == "all":
        return frozenset(Adjustment)
    try:
        return frozenset(Adjustment(part) for part in text.split(","))
    except ValueError as error:
        raise DataRefusedError(400, f"invalid adjustment: {text}") from error


def read_as_of(text: str | None, today: date) -> date | None:
    """The day on which the symbols were called so; `-` asks for each symbol's own bars, without a mapping."""
    if text == "-":
        return None
    try:
        return date.fromisoformat(text) if text else today
    except ValueError as error:
        raise DataRefusedError(400, f"invalid asof: expected YYYY-MM-DD or -, not {text}") from error
