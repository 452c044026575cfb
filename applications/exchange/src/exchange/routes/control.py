"""`/control`: the exchange's own door. It moves the clock, injects faults, and lists every order ever accepted.

Parses, calls, answers; errors are problem details. Not part of any vendor's API.
"""

from http import HTTPStatus
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Body, Depends, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, model_validator

from exchange.adapters.sqlite_repository import Ledger
from exchange.bodies import order_body
from exchange.faults import Fault, StoredFault, add_fault, clear_faults, list_faults
from exchange.routes.wiring import TheBus, TheConfiguration, TheExchange, ThePublisher
from exchange.services import Exchange
from internal.dates import session_close, session_open
from internal.http.bearer import MUTATING_METHODS, require_bearer_token
from internal.venue.clock import Auction, parse_moment


async def require_token(request: Request, configuration: TheConfiguration) -> None:
    """Asks for the bearer token on everything that changes something, wherever one is configured."""
    if request.method in MUTATING_METHODS:
        require_bearer_token(request.headers, configuration.fund_api_token.get_secret_value())


router = APIRouter(prefix="/control", tags=["control"], dependencies=[Depends(require_token)])


class ClockMove(BaseModel):
    """Where the clock goes: the next open or close, or a moment (ISO 8601 with a time zone)."""

    model_config = ConfigDict(extra="forbid")

    to: Literal["next_open", "next_close"] | None = None
    timestamp: str | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.to is None) == (self.timestamp is None):
            raise ValueError("give either `to` (next_open or next_close) or `timestamp`")
        return self


class State(BaseModel):
    """Where the exchange stands."""

    timestamp: str
    session: str
    phase: str
    next_session: str | None
    sessions_left: int
    market: str
    planted_signal: str
    seed: int | None
    tickers: int


def state_of(exchange: Exchange) -> State:
    """Clock and market; `sessions_left` counts the sessions whose close is still to come."""
    reading = exchange.clock.reading()
    left = [day for day in exchange.market.sessions() if session_close(day) > reading.timestamp]
    coming = [day for day in left if session_open(day) > reading.timestamp]
    return State(
        timestamp=reading.timestamp.isoformat().replace("+00:00", "Z"),
        session=reading.session.isoformat(),
        phase=str(reading.phase),
        next_session=coming[0].isoformat() if coming else None,
        sessions_left=len(left),
        market=exchange.market.kind,
        planted_signal=exchange.market.planted_signal,
        seed=exchange.market.seed,
        tickers=sum(listing.is_active(reading.session) for listing in exchange.market.listings(reading.session)),
    )


@router.get("/state")
def get_state(exchange: TheExchange) -> State:
    """Where the exchange stands."""
    return state_of(exchange)


@router.post("/clock")
async def move_clock(
    exchange: TheExchange,
    publisher: ThePublisher,
    move: Annotated[ClockMove, Body(examples=[{"to": "next_open"}, {"timestamp": "2025-01-02T21:00:00Z"}])],
) -> State:
    """Moves the clock forward, through every open and close on the way; each is one transaction and one event.

    409 when the market ends before; 422 for a moment that has passed.
    """
    async with publisher.turn:
        if move.to is not None:
            auction = Auction.OPEN if move.to == "next_open" else Auction.CLOSE
            moment = exchange.next_stop(auction)
        else:
            moment = parse_moment(move.timestamp or "")
        for step in exchange.steps_to(moment):
            await run_in_threadpool(exchange.play, step)
            await publisher.publish_recorded()
        await run_in_threadpool(exchange.rest_at, moment)
    return await run_in_threadpool(state_of, exchange)


@router.get("/orders")
def get_orders(exchange: TheExchange) -> dict[str, list[dict[str, Any]]]:
    """Every order ever accepted with its fills, oldest first: the proof that none was lost and none sent twice."""
    with exchange.database.reading() as connection:
        ledger = Ledger(connection)
        orders, rows = ledger.orders(), ledger.activities()
    fills: dict[str, list[dict[str, Any]]] = {order.id: [] for order in orders}
    for row in rows:
        if row.order_id is not None:
            body = row.body
            fill = {
                "id": row.id,
                "quantity": body["qty"],
                "price": body["price"],
                "timestamp": body["transaction_time"],
            }
            fills[row.order_id].append(fill)
    return {"orders": [order_body(order) | {"sequence": order.sequence, "fills": fills[order.id]} for order in orders]}


@router.get("/events")
async def get_events(bus: TheBus) -> dict[str, list[dict[str, Any]]]:
    """The last 100 events that the exchange sent, with the state of each delivery."""
    return await bus.recent()


@router.post("/faults", status_code=HTTPStatus.CREATED)
def inject_fault(
    exchange: TheExchange,
    fault: Annotated[Fault, Body(examples=[{"kind": "gateway_timeout", "path": "/v2/orders", "method": "POST"}])],
) -> StoredFault:
    """Injects a fault; it strikes `count` times and survives a restart."""
    with exchange.database.transaction() as connection:
        return add_fault(connection, fault)


@router.get("/faults")
def get_faults(exchange: TheExchange) -> list[StoredFault]:
    """Every fault with what remains of it."""
    with exchange.database.reading() as connection:
        return list_faults(connection)


@router.delete("/faults", status_code=HTTPStatus.NO_CONTENT)
def remove_faults(exchange: TheExchange) -> None:
    """Forgets every fault."""
    with exchange.database.transaction() as connection:
        clear_faults(connection)
