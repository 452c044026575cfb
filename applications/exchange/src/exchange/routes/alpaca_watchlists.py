"""`/v2/watchlists`: lists of assets by id, and by name under `/v2/watchlists:by_name`."""

# ruff: noqa: FAST003 - `watchlist_id` of the paths is read by the dependency `_asked`

from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from exchange.bodies.alpaca_market import asset_body
from exchange.bodies.alpaca_moments import wire_moment
from exchange.listings import find_asset
from exchange.ports import WatchlistRepository
from exchange.responses import refusals
from exchange.responses.alpaca_watchlists import WatchlistBody, WatchlistSummary
from exchange.routes.alpaca import AlpacaRoute, require_key_pair
from exchange.routes.dependencies import TheExchange, TheWatchlists
from exchange.routes.order_requests import parse_fields, parse_object
from exchange.services import Exchange
from exchange.watchlists import Watchlist
from internal.venue import rejections

NAME_LENGTH = 64

router = APIRouter(
    prefix="/v2",
    route_class=AlpacaRoute,
    responses=refusals.ALPACA,
    dependencies=[Depends(require_key_pair)],
    tags=["alpaca watchlists"],
)


class WatchlistFields(BaseModel):
    """The body that makes or changes a watchlist; what it leaves out stays."""

    name: Annotated[str, Field(min_length=1, max_length=NAME_LENGTH)] | None = None
    symbols: list[str | None] | None = None


class SymbolField(BaseModel):
    """The body that adds an asset."""

    symbol: str = Field(min_length=1)


async def _asked(watchlists: TheWatchlists, watchlist_id: str = "", name: str = "") -> Watchlist:
    """The watchlist that the path or the query names. Raises RequestRefusedError where there is none."""
    for watchlist in watchlists.list_watchlists():
        if watchlist_id == watchlist.id or (not watchlist_id and name == watchlist.name):
            return watchlist
    raise rejections.not_found("watchlist not found")


type AskedWatchlist = Annotated[Watchlist, Depends(_asked)]


@router.get("/watchlists")
def list_watchlists(exchange: TheExchange, watchlists: TheWatchlists) -> list[WatchlistSummary]:
    """Every watchlist, without its assets."""
    return [_summary(exchange, watchlist) for watchlist in watchlists.list_watchlists()]


@router.post("/watchlists")
async def create_watchlist(request: Request, exchange: TheExchange, watchlists: TheWatchlists) -> WatchlistBody:
    """Makes a watchlist."""
    fields = parse_fields(WatchlistFields, parse_object(await request.body()))
    if fields.name is None:
        raise rejections.invalid_field("name is required")
    _require_new_name(watchlists, fields.name, own_id="")
    now = exchange.clock.now()
    return _store(
        exchange, watchlists, Watchlist(str(uuid4()), fields.name, _tickers(exchange, fields.symbols or []), now, now)
    )


@router.get("/watchlists/{watchlist_id}")
@router.get("/watchlists:by_name")
def get_watchlist(exchange: TheExchange, watchlist: AskedWatchlist) -> WatchlistBody:
    """One watchlist with its assets."""
    return _body(exchange, watchlist)


@router.put("/watchlists/{watchlist_id}")
@router.put("/watchlists:by_name")
async def change_watchlist(
    request: Request, exchange: TheExchange, watchlists: TheWatchlists, watchlist: AskedWatchlist
) -> WatchlistBody:
    """Changes the name, the assets, or both."""
    fields = parse_fields(WatchlistFields, parse_object(await request.body()))
    name = fields.name or watchlist.name
    _require_new_name(watchlists, name, own_id=watchlist.id)
    tickers = watchlist.tickers if fields.symbols is None else _tickers(exchange, fields.symbols)
    return _store(exchange, watchlists, replace(watchlist, name=name, tickers=tickers, updated_at=exchange.clock.now()))


@router.post("/watchlists/{watchlist_id}")
@router.post("/watchlists:by_name")
async def add_asset(
    request: Request, exchange: TheExchange, watchlists: TheWatchlists, watchlist: AskedWatchlist
) -> WatchlistBody:
    """Adds an asset at the end."""
    field = parse_fields(SymbolField, parse_object(await request.body()))
    tickers = _tickers(exchange, [*watchlist.tickers, field.symbol])
    return _store(exchange, watchlists, replace(watchlist, tickers=tickers, updated_at=exchange.clock.now()))


@router.delete("/watchlists/{watchlist_id}", status_code=HTTPStatus.NO_CONTENT)
@router.delete("/watchlists:by_name", status_code=HTTPStatus.NO_CONTENT)
def delete_watchlist(watchlists: TheWatchlists, watchlist: AskedWatchlist) -> None:
    """Deletes a watchlist: 204 without a body."""
    watchlists.delete_watchlist(watchlist.id)


@router.delete("/watchlists/{watchlist_id}/{symbol:path}")
def remove_asset(
    exchange: TheExchange, watchlists: TheWatchlists, watchlist: AskedWatchlist, symbol: str
) -> WatchlistBody:
    """Takes an asset out. 404 for one that is not in the list."""
    [ticker] = _tickers(exchange, [symbol])
    if ticker not in watchlist.tickers:
        raise rejections.not_found(f"{symbol} is not in the watchlist")
    kept = tuple(one for one in watchlist.tickers if one != ticker)
    return _store(exchange, watchlists, replace(watchlist, tickers=kept, updated_at=exchange.clock.now()))


def _tickers(exchange: Exchange, symbols: Sequence[str | None]) -> tuple[str, ...]:
    """The assets' tickers, each once, in the order given. Raises RequestRefusedError for an unknown one."""
    found: dict[str, None] = {}
    for symbol in symbols:
        listing = None if symbol is None else find_asset(exchange.market, symbol, exchange.clock.today())
        if listing is None:
            raise rejections.unprocessable(f"asset not found for {symbol}")
        found[listing.ticker] = None
    return tuple(found)


def _require_new_name(watchlists: WatchlistRepository, name: str, own_id: str) -> None:
    if any(one.name == name and one.id != own_id for one in watchlists.list_watchlists()):
        raise rejections.invalid_field("watchlist name must be unique")


def _store(exchange: Exchange, watchlists: WatchlistRepository, watchlist: Watchlist) -> WatchlistBody:
    watchlists.put_watchlist(watchlist)
    return _body(exchange, watchlist)


def _summary(exchange: Exchange, watchlist: Watchlist) -> WatchlistSummary:
    return WatchlistSummary(
        id=watchlist.id,
        account_id=exchange.core.state.identity.account_id,
        name=watchlist.name,
        created_at=wire_moment(watchlist.created_at),
        updated_at=wire_moment(watchlist.updated_at),
    )


def _body(exchange: Exchange, watchlist: Watchlist) -> WatchlistBody:
    today = exchange.clock.today()
    listings = [find_asset(exchange.market, ticker, today) for ticker in watchlist.tickers]
    assets = [asset_body(listing, today) for listing in listings if listing is not None]
    return WatchlistBody(**_summary(exchange, watchlist).model_dump(), assets=assets)
