"""`/v2/orders`: send, list, look up, replace, cancel."""

from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool

from exchange.bodies.alpaca_orders import new_order_body, order_body
from exchange.listings import ticker_named
from exchange.responses.alpaca import CanceledOrderBody, OrderBody
from exchange.routes.alpaca import AlpacaRoute, require_key_pair
from exchange.routes.dependencies import TheExchange
from exchange.routes.order_requests import (
    ReplaceOrderFields,
    SubmitOrderFields,
    parse_fields,
    parse_order,
    refuse_unsupported_terms,
)
from exchange.services import Exchange
from internal.venue import rejections
from internal.venue.orders import Order, OrderRequest, Side
from internal.venue.repository import OrderQuery

router = APIRouter(
    prefix="/v2", route_class=AlpacaRoute, dependencies=[Depends(require_key_pair)], tags=["alpaca orders"]
)


@router.post("/orders")
async def submit_order(request: Request, exchange: TheExchange) -> OrderBody:
    """Accepts an order: 200 with `pending_new` once it is durable."""
    fields = parse_order(await request.body())
    refuse_unsupported_terms(fields)
    terms = parse_fields(SubmitOrderFields, fields).to_request()
    return new_order_body(await run_in_threadpool(_submit, exchange, terms))


def _submit(exchange: Exchange, terms: OrderRequest) -> Order:
    """Sends the order under the ticker that the client means."""
    ticker = ticker_named(exchange.market, terms.ticker, exchange.clock.today())
    return exchange.core.submit(replace(terms, ticker=ticker))


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
) -> list[OrderBody]:
    """Orders by status, time of submission (`after` and `until` exclusive), side and symbols."""
    query = OrderQuery(
        is_open={"open": True, "closed": False, "all": None}[status],
        after=_in_utc(after),
        until=_in_utc(until),
        side=side,
        tickers=None if symbols is None else frozenset(symbol.strip() for symbol in symbols.split(",")),
        newest_first=direction == "desc",
        limit=limit,
    )
    return [order_body(order) for order in exchange.repository.find_orders(query)]


def _in_utc(moment: datetime | None) -> datetime | None:
    """The moment; one without a time zone is read as UTC."""
    return moment if moment is None or moment.tzinfo is not None else moment.replace(tzinfo=UTC)


@router.get("/orders:by_client_order_id")
def get_order_by_client_id(exchange: TheExchange, client_order_id: str) -> OrderBody:
    """The order with the client's id."""
    order = exchange.repository.order_by_client_id(client_order_id)
    if order is None:
        raise rejections.not_found(f"order not found for {client_order_id}")
    return order_body(order)


@router.get("/orders/{order_id}")
def get_order(exchange: TheExchange, order_id: str) -> OrderBody:
    """One order."""
    order = exchange.repository.order(order_id)
    if order is None:
        raise rejections.not_found(f"order not found for {order_id}")
    return order_body(order)


@router.patch("/orders/{order_id}")
async def replace_order(request: Request, exchange: TheExchange, order_id: str) -> OrderBody:
    """Puts a new order in the place of an open, unfilled one."""
    fields = parse_order(await request.body())
    refuse_unsupported_terms(fields)
    changes = parse_fields(ReplaceOrderFields, fields).to_changes()
    return new_order_body(await run_in_threadpool(exchange.core.replace, order_id, changes))


@router.delete("/orders/{order_id}", status_code=HTTPStatus.NO_CONTENT)
def cancel_order(exchange: TheExchange, order_id: str) -> None:
    """Cancels one order: 204 without a body."""
    exchange.core.cancel(order_id)


@router.delete("/orders", status_code=HTTPStatus.MULTI_STATUS)
def cancel_all_orders(exchange: TheExchange) -> list[CanceledOrderBody]:
    """Cancels every open order: 207 with one entry an order."""
    return [CanceledOrderBody(id=order.id, status=HTTPStatus.OK) for order in exchange.core.cancel_all()]
