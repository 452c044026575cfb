"""`/v1/locates`: quotes of what is hard to borrow, and requests to locate it.

https://docs.alpaca.markets/reference/listlocates; refusals carry words as codes, not numbers.
"""

import json
from collections.abc import Callable, Coroutine
from datetime import date
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, ValidationError

from exchange.bodies.alpaca_locates import locate_body, locate_quote_body
from exchange.listings import find_asset
from exchange.locates import ROUND_LOT, Locate, LocateQuote, LocateRequest, LocateStatus, decide_locate, quote_locate
from exchange.ports import LocateRepository
from exchange.responses import refusals
from exchange.responses.alpaca_locates import LocateBody, LocateQuoteErrorBody, LocateQuotesBody, LocatesBody
from exchange.routes.alpaca import AlpacaRoute, require_key_pair
from exchange.routes.dependencies import TheExchange, TheLocates
from exchange.services import Exchange
from internal.venue import rejections
from internal.venue.history import Movement, MovementKind
from internal.venue.rejections import RequestRefusedError

LARGEST_QUOTE = 100  # symbols


class LocateRefusedError(Exception):
    """A request about locates that is not carried out: its HTTP status, a code in words, and a sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class LocateRoute(AlpacaRoute):
    """A route of the trading API with the refusals of locates."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with refusals turned into bodies."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except LocateRefusedError as refusal:
                return JSONResponse({"code": refusal.code, "message": refusal.message}, refusal.status)

        return answer


router = APIRouter(
    prefix="/v1/locates",
    route_class=LocateRoute,
    responses=refusals.LOCATES,
    dependencies=[Depends(require_key_pair)],
    tags=["alpaca locates"],
)


class LocateFields(BaseModel):
    """The body of a request."""

    symbol: str = Field(min_length=1)
    qty: int = Field(ge=1)
    limit_price: Decimal | None = None
    all_or_none: bool = False


@router.get("/quotes", response_model_exclude_none=True)
def list_quotes(exchange: TheExchange, symbols: str) -> LocateQuotesBody:
    """What can be located of each symbol, and the fee a share."""
    names = list(dict.fromkeys(name.strip() for name in symbols.split(",")))
    if len(names) > LARGEST_QUOTE:
        raise LocateRefusedError(400, "invalid_symbols", "symbols must contain at most 100 unique symbols")
    body = LocateQuotesBody(quotes=[], errors=[])
    for name in names:
        try:
            ticker, quote = _quote(exchange, name)
            body.quotes.append(locate_quote_body(ticker, quote, exchange.clock.now()))
        except LocateRefusedError as refusal:
            body.errors.append(LocateQuoteErrorBody(symbol=name, code=refusal.code, message=refusal.message))
    return body


def _quote(exchange: Exchange, symbol: str) -> tuple[str, LocateQuote]:
    listing = find_asset(exchange.market, symbol, exchange.clock.today())
    if listing is None or not listing.is_active(exchange.clock.today()):
        raise LocateRefusedError(422, "symbol_not_found", "symbol not found")
    if listing.easy_to_borrow:
        sentence = "security is easy-to-borrow and does not require a locate"
        raise LocateRefusedError(422, "easy_to_borrow", sentence)
    bar = exchange.market.bar(listing.ticker, exchange.clock.last_closed_session())
    if bar is None:
        raise LocateRefusedError(422, "quote_unavailable", "closing price is unavailable")
    return listing.ticker, quote_locate(listing, bar)


@router.post("", status_code=HTTPStatus.CREATED, response_model_exclude_none=True)
async def create_locate(
    request: Request,
    exchange: TheExchange,
    locates: TheLocates,
    idempotency_key: Annotated[str | None, Header()] = None,
) -> LocateBody:
    """Locates shares and charges the fee: active or rejected at once."""
    fields = _read(await request.body())
    return await run_in_threadpool(_create, exchange, locates, fields, idempotency_key)


def _read(content: bytes) -> LocateFields:
    try:
        fields = LocateFields.model_validate(json.loads(content))
    except ValidationError as error:
        wrong = error.errors()[0]["loc"][:1]
        code = "invalid_limit_price" if wrong == ("limit_price",) else "invalid_input"
        raise LocateRefusedError(400, code, code.replace("_", " ", 1)) from None
    except ValueError:
        raise LocateRefusedError(400, "invalid_request_body", "invalid request body") from None
    if fields.qty % ROUND_LOT:
        raise LocateRefusedError(400, "invalid_input", "invalid input: quantity must be in round lots of 100")
    if fields.limit_price is not None and not (fields.limit_price.is_finite() and fields.limit_price > 0):
        raise LocateRefusedError(400, "invalid_limit_price", "invalid limit_price")
    return fields


def _create(exchange: Exchange, locates: LocateRepository, fields: LocateFields, key: str | None) -> LocateBody:
    now = exchange.clock.now()
    ticker, quote = _quote(exchange, fields.symbol)
    asked = LocateRequest(ticker, fields.qty, fields.limit_price, fields.all_or_none)
    for earlier in locates.list_locates():
        if key is not None and earlier.key == key:
            if earlier.request != asked:
                raise LocateRefusedError(422, "invalid_input", "idempotency key was used for another request")
            return locate_body(earlier, now)
    located, reason = decide_locate(asked, quote)
    locate = Locate(str(uuid4()), asked, now, located, quote.price if located else None, reason, key)
    if located:
        _charge(exchange, ticker, quote.fee(located), located)
    locates.add_locate(locate)
    return locate_body(locate, now)


def _charge(exchange: Exchange, ticker: str, fee: Decimal, shares: int) -> None:
    movement = Movement(MovementKind.LOCATE_FEE, ticker, -fee, charged=Decimal(shares))
    try:
        exchange.core.charge(movement)
    except RequestRefusedError:
        sentence = "insufficient buying power to cover locate fee"
        raise LocateRefusedError(422, "insufficient_buying_power", sentence) from None


@router.get("", response_model_exclude_none=False)
def list_locates(  # noqa: PLR0913, PLR0917 - the filters of the real endpoint
    exchange: TheExchange,
    locates: TheLocates,
    status: LocateStatus | None = None,
    symbol: str | None = None,
    start: date | None = None,
    end: date | None = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    page_token: str | None = None,
) -> LocatesBody:
    """Locates, newest first, by status, symbol and trading day; a page's token is its last locate's id."""
    now = exchange.clock.now()
    found = [
        locate
        for locate in locates.list_locates()
        if status in {None, locate.status(now)}
        and symbol in {None, locate.request.ticker}
        and (start is None or locate.trading_day >= start)
        and (end is None or locate.trading_day < end)
    ]
    if page_token is not None:
        names = [locate.id for locate in found]
        if page_token not in names:
            raise LocateRefusedError(400, "invalid_input", "invalid input: page_token")
        found = found[names.index(page_token) + 1 :]
    more = found[limit - 1].id if len(found) > limit else None
    return LocatesBody(locates=[locate_body(one, now) for one in found[:limit]], next_page_token=more)


@router.get("/{locate_id}", response_model_exclude_none=True)
def get_locate(exchange: TheExchange, locates: TheLocates, locate_id: str) -> LocateBody:
    """One locate."""
    for locate in locates.list_locates():
        if locate.id == locate_id:
            return locate_body(locate, exchange.clock.now())
    raise rejections.not_found("locate not found")
