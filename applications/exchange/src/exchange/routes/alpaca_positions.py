"""`/v2/positions`: what is held, and the orders that close it.

Parses, calls the trading desk, answers. Knows no rule.
"""

from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from exchange.adapters.sqlite_repository import Ledger
from exchange.bodies import order_body, position_body
from exchange.order_entry import closing_request
from exchange.requests import ClosePositionQuery, parse
from exchange.routes.alpaca import AlpacaRoute, require_key_pair
from exchange.routes.wiring import TheExchange
from exchange.services import Exchange
from internal.venue import rejections
from internal.venue.identity import asset_id
from internal.venue.margin_account import Position
from internal.venue.orders import Order, OrderRequest, OrderStatus
from internal.venue.rejections import AlpacaError

router = APIRouter(
    prefix="/v2", route_class=AlpacaRoute, dependencies=[Depends(require_key_pair)], tags=["alpaca positions"]
)


def _bodies(exchange: Exchange) -> dict[str, dict[str, Any]]:
    """Every position's body by ticker."""
    with exchange.database.reading() as connection:
        ledger = Ledger(connection)
        book, orders = ledger.book(), ledger.open_orders()
    listings = {ticker: exchange.market.listing(ticker) for ticker in book.positions}
    return {
        ticker: position_body(held, listing, orders)
        for ticker, held in book.positions.items()
        if (listing := listings[ticker]) is not None
    }


def _position(exchange: Exchange, symbol_or_asset_id: str) -> Position:
    with exchange.database.reading() as connection:
        positions = Ledger(connection).book().positions
    for ticker, held in positions.items():
        if symbol_or_asset_id in {ticker, asset_id(ticker)}:
            return held
    raise rejections.not_found("position does not exist")


@router.get("/positions")
def list_positions(exchange: TheExchange) -> list[dict[str, Any]]:
    """Every open position."""
    return list(_bodies(exchange).values())


@router.get("/positions/{symbol_or_asset_id}")
def get_position(exchange: TheExchange, symbol_or_asset_id: str) -> dict[str, Any]:
    """One position."""
    return _bodies(exchange)[_position(exchange, symbol_or_asset_id).ticker]


@router.delete("/positions/{symbol_or_asset_id}")
def close_position(request: Request, exchange: TheExchange, symbol_or_asset_id: str) -> dict[str, Any]:
    """Sends the market order that closes a position, or part of it."""
    query = parse(ClosePositionQuery, dict(request.query_params))
    if query.qty is not None and query.percentage is not None:
        raise rejections.invalid("only one of qty or percentage is accepted")
    held = _position(exchange, symbol_or_asset_id)
    order = exchange.desk.submit(closing_request(held.quantity, held.ticker, query.qty, query.percentage))
    return order_body(order, status=OrderStatus.PENDING_NEW)


@router.delete("/positions")
def close_all_positions(exchange: TheExchange, *, cancel_orders: bool = False) -> JSONResponse:
    """Sends an order against every position: 207 with the order, or its refusal, a position."""
    if cancel_orders:
        exchange.desk.cancel_all()
    with exchange.database.reading() as connection:
        positions = Ledger(connection).book().positions
    requests = [closing_request(held.quantity, ticker, None, None) for ticker, held in positions.items()]
    return JSONResponse([_close(exchange, request) for request in requests], 207)


def _close(exchange: Exchange, request: OrderRequest) -> dict[str, Any]:
    try:
        order: Order = exchange.desk.submit(request)
    except AlpacaError as refusal:
        return {"symbol": request.ticker, "status": refusal.status, "body": refusal.body}
    body = order_body(order, status=OrderStatus.PENDING_NEW)
    return {"symbol": request.ticker, "status": 200, "body": body}
