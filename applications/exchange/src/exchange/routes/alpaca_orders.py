"""`/v2/orders`: send, list, look up, replace, cancel.

Parses, calls the trading desk, answers. Knows no rule.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from exchange.adapters.sqlite_repository import Ledger
from exchange.bodies import order_body
from exchange.order_entry import find_order
from exchange.requests import OrderBody, ReplaceBody, parse, parse_json, refuse_unplayed
from exchange.routes.alpaca import AlpacaRoute, require_key_pair
from exchange.routes.wiring import TheExchange
from exchange.services import Exchange
from internal.venue import rejections
from internal.venue.orders import Order, OrderStatus, Side

router = APIRouter(
    prefix="/v2", route_class=AlpacaRoute, dependencies=[Depends(require_key_pair)], tags=["alpaca orders"]
)


@router.post("/orders")
async def send_order(request: Request, exchange: TheExchange) -> dict[str, Any]:
    """Accepts an order: 200 with `pending_new` once it is durable."""
    body = parse_json(await request.body())
    refuse_unplayed(body)
    terms = parse(OrderBody, body).to_request()
    order = await run_in_threadpool(exchange.desk.submit, terms)
    return order_body(order, status=OrderStatus.PENDING_NEW)


@router.get("/orders")
def list_orders(  # noqa: PLR0913, PLR0917 - the filters of the real endpoint
    exchange: TheExchange,
    status: Literal["open", "closed", "all"] = "open",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    after: datetime | None = None,
    until: datetime | None = None,
    direction: Literal["asc", "desc"] = "desc",
    side: Side | None = None,
    symbols: str | None = None,
) -> list[dict[str, Any]]:
    """Orders by status, time of submission (`after` and `until` exclusive), side and symbols."""
    wanted = {"open": {True}, "closed": {False}, "all": {True, False}}[status]
    tickers = None if symbols is None else {symbol.strip() for symbol in symbols.split(",")}
    found = [
        order
        for order in _all_orders(exchange)
        if order.is_open in wanted
        and (after is None or order.submitted_at > _aware(after))
        and (until is None or order.submitted_at < _aware(until))
        and side in {None, order.side}
        and (tickers is None or order.ticker in tickers)
    ]
    ordered = found if direction == "asc" else found[::-1]
    return [order_body(order) for order in ordered[:limit]]


def _all_orders(exchange: Exchange) -> list[Order]:
    with exchange.database.reading() as connection:
        return Ledger(connection).orders()


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


@router.get("/orders:by_client_order_id")
def order_by_client_id(exchange: TheExchange, client_order_id: str) -> dict[str, Any]:
    """The order that the client named so."""
    with exchange.database.reading() as connection:
        order = Ledger(connection).order_by_client_id(client_order_id)
    if order is None:
        raise rejections.not_found(f"order not found for {client_order_id}")
    return order_body(order)


@router.get("/orders/{order_id}")
def order_by_id(exchange: TheExchange, order_id: str) -> dict[str, Any]:
    """One order."""
    with exchange.database.reading() as connection:
        return order_body(find_order(Ledger(connection), order_id))


@router.patch("/orders/{order_id}")
async def change_order(request: Request, exchange: TheExchange, order_id: str) -> dict[str, Any]:
    """Puts a new order in the place of an open, unfilled one."""
    body = parse_json(await request.body())
    refuse_unplayed(body)
    changes = parse(ReplaceBody, body).to_changes()
    order = await run_in_threadpool(exchange.desk.replace, order_id, changes)
    return order_body(order, status=OrderStatus.PENDING_NEW)


@router.delete("/orders/{order_id}", status_code=204)
def cancel_order(exchange: TheExchange, order_id: str) -> None:
    """Cancels one order: 204 without a body."""
    exchange.desk.cancel(order_id)


@router.delete("/orders")
def cancel_all_orders(exchange: TheExchange) -> JSONResponse:
    """Cancels every open order: 207 with one entry an order."""
    return JSONResponse([{"id": order.id, "status": 200} for order in exchange.desk.cancel_all()], 207)
