"""`/v2/positions`: what is held, and the orders that close it."""

from http import HTTPStatus

from fastapi import APIRouter, Depends, Request

from exchange.bodies.alpaca_orders import new_order_body
from exchange.bodies.alpaca_positions import position_body
from exchange.listings import ticker_named
from exchange.responses import refusals
from exchange.responses.alpaca import ClosedPositionBody, OrderBody, PositionBody
from exchange.routes.alpaca import AlpacaRoute, refusal_body, refusal_status, require_key_pair
from exchange.routes.dependencies import TheExchange
from exchange.routes.order_requests import ClosePositionFields, parse_fields
from exchange.services import Exchange
from internal.venue import rejections
from internal.venue.margin_account import Position
from internal.venue.order_entry import closing_request
from internal.venue.orders import OrderRequest
from internal.venue.rejections import RequestRefusedError

router = APIRouter(
    prefix="/v2",
    route_class=AlpacaRoute,
    responses=refusals.ALPACA,
    dependencies=[Depends(require_key_pair)],
    tags=["alpaca positions"],
)


def _sorted_positions(exchange: Exchange) -> list[Position]:
    """Every position, by ticker."""
    return sorted(exchange.core.state.account.positions.values(), key=lambda held: held.ticker)


def _find_position(exchange: Exchange, symbol_or_asset_id: str) -> Position:
    ticker = ticker_named(exchange.market, symbol_or_asset_id, exchange.clock.today())
    held = exchange.core.state.account.positions.get(ticker)
    if held is None:
        raise rejections.not_found("position does not exist")
    return held


def _bodies(exchange: Exchange, positions: list[Position]) -> list[PositionBody]:
    orders, today = exchange.core.state.open_orders.values(), exchange.clock.today()
    return [
        position_body(held, listing, orders)
        for held in positions
        if (listing := exchange.market.listing(held.ticker, today)) is not None
    ]


@router.get("/positions")
def list_positions(exchange: TheExchange) -> list[PositionBody]:
    """Every open position."""
    return _bodies(exchange, _sorted_positions(exchange))


@router.get("/positions/{symbol_or_asset_id:path}")
def get_position(exchange: TheExchange, symbol_or_asset_id: str) -> PositionBody:
    """One position."""
    return _bodies(exchange, [_find_position(exchange, symbol_or_asset_id)])[0]


@router.delete("/positions/{symbol_or_asset_id:path}")
def close_position(request: Request, exchange: TheExchange, symbol_or_asset_id: str) -> OrderBody:
    """Sends the market order that closes a position, or part of it."""
    fields = parse_fields(ClosePositionFields, dict(request.query_params))
    if fields.qty is not None and fields.percentage is not None:
        raise rejections.invalid_field("only one of qty or percentage is accepted")
    held = _find_position(exchange, symbol_or_asset_id)
    order = exchange.core.submit(closing_request(held.quantity, held.ticker, fields.qty, fields.percentage))
    return new_order_body(order)


@router.delete("/positions", status_code=HTTPStatus.MULTI_STATUS)
def close_all_positions(exchange: TheExchange, *, cancel_orders: bool = False) -> list[ClosedPositionBody]:
    """Sends an order against every position: 207 with the order, or its refusal, a position."""
    if cancel_orders:
        exchange.core.cancel_all()
    requests = [closing_request(held.quantity, held.ticker, None, None) for held in _sorted_positions(exchange)]
    return [_close(exchange, request) for request in requests]


def _close(exchange: Exchange, request: OrderRequest) -> ClosedPositionBody:
    try:
        body = new_order_body(exchange.core.submit(request))
    except RequestRefusedError as refusal:
        status, refused = refusal_status(refusal), refusal_body(refusal)
        return ClosedPositionBody(symbol=request.ticker, status=status, body=refused)
    return ClosedPositionBody(symbol=request.ticker, status=HTTPStatus.OK, body=body)
