"""`/v2/orders`: send, list, look up, replace, cancel."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool

from exchange.bodies.alpaca_orders import new_order_body, order_body
from exchange.listings import ticker_named
from exchange.responses import refusals
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
from internal.venue.orders import Order, OrderClass, OrderRequest, Side
from internal.venue.repository import OrderQuery

STOCKS = "us_equity"

router = APIRouter(
    prefix="/v2",
    route_class=AlpacaRoute,
    responses=refusals.ALPACA,
    dependencies=[Depends(require_key_pair)],
    tags=["alpaca orders"],
)


@router.post("/orders")
async def submit_order(request: Request, exchange: TheExchange) -> OrderBody:
    """Accepts an order: 200 with `pending_new` once it is durable."""
    fields = parse_order(await request.body())
    refuse_unsupported_terms(fields)
    terms = parse_fields(SubmitOrderFields, fields).to_request()
    return await run_in_threadpool(_submit, exchange, terms)


def _submit(exchange: Exchange, terms: OrderRequest) -> OrderBody:
    """Sends the order under the ticker that the client means."""
    ticker = ticker_named(exchange.market, terms.ticker, exchange.clock.today())
    order = exchange.core.submit(replace(terms, ticker=ticker))
    return new_order_body(order, _legs_of(exchange, [order]))


def _legs_of(exchange: Exchange, orders: Sequence[Order]) -> list[Order]:
    """The exits that were sent with the orders."""
    parents = frozenset(order.id for order in orders if order.order_class is not OrderClass.SIMPLE)
    return exchange.repository.find_orders(OrderQuery(parents=parents)) if parents else []


@router.get("/orders")
def list_orders(  # noqa: PLR0913 - the filters of the real endpoint
    exchange: TheExchange,
    *,
    status: Literal["open", "closed", "all"] = "open",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    after: datetime | None = None,
    until: datetime | None = None,
    direction: Literal["asc", "desc"] = "desc",
    side: Side | None = None,
    symbols: str | None = None,
    asset_class: str | None = None,
    before_order_id: str | None = None,
    after_order_id: str | None = None,
    nested: bool = False,
) -> list[OrderBody]:
    """Orders by status, time of submission (`after` and `until` exclusive), side and symbols."""
    if before_order_id is not None and after_order_id is not None:
        raise rejections.invalid_field("only one of before_order_id or after_order_id is accepted")
    if asset_class is not None and STOCKS not in asset_class.split(","):
        return []
    query = OrderQuery(
        is_open={"open": True, "closed": False, "all": None}[status],
        after=_in_utc(after),
        until=_in_utc(until),
        side=side,
        tickers=None if symbols is None else _tickers(exchange, symbols),
        before=None if before_order_id is None else _find_order(exchange, before_order_id).sequence,
        beyond=None if after_order_id is None else _find_order(exchange, after_order_id).sequence,
        newest_first=direction == "desc",
        limit=limit,
    )
    if nested:
        return _nested_bodies(exchange, query)
    return [order_body(order) for order in exchange.repository.find_orders(query)]


def _tickers(exchange: Exchange, symbols: str) -> frozenset[str]:
    today = exchange.clock.today()
    return frozenset(ticker_named(exchange.market, name.strip(), today) for name in symbols.split(","))


def _nested_bodies(exchange: Exchange, query: OrderQuery) -> list[OrderBody]:
    """The orders with the exits that were sent with them; an entry is there also for the sake of an exit alone."""
    found = {order.id: order for order in exchange.repository.find_orders(replace(query, limit=None))}
    missing = {order.parent_id for order in found.values() if order.parent_id is not None} - found.keys()
    primary = [order for order in found.values() if order.parent_id is None]
    primary += [order for name in missing if (order := exchange.repository.order(name)) is not None]
    primary = sorted(primary, key=lambda order: order.sequence, reverse=query.newest_first)[: query.limit]
    legs = _legs_of(exchange, primary)
    return [order_body(order, [leg for leg in legs if leg.parent_id == order.id]) for order in primary]


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
def get_order(exchange: TheExchange, order_id: str, *, nested: bool = False) -> OrderBody:
    """One order; `nested` shows the exits that were sent with it."""
    order = _find_order(exchange, order_id)
    return order_body(order, _legs_of(exchange, [order]) if nested else ())


def _find_order(exchange: Exchange, order_id: str) -> Order:
    order = exchange.repository.order(order_id)
    if order is None:
        raise rejections.not_found(f"order not found for {order_id}")
    return order


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
