"""`/control`: moves the clock, injects faults of the services and of their data, and lists every order ever accepted.

Errors are problem details. Not part of any vendor's API.
"""

from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Body, Depends, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, model_validator

from exchange.bodies.alpaca_activities import activity_body
from exchange.bodies.control import order_records, state_of
from exchange.faults import Fault, StoredFault
from exchange.responses.alpaca import FillBody, MovementBody
from exchange.responses.control import OrderRecords, State
from exchange.routes.dependencies import TheBus, TheConfiguration, TheExchange, ThePublisher
from exchange.statements import Statement
from internal.cloud_events.responses import RecentEvents
from internal.http.bearer import MUTATING_METHODS, require_bearer_token
from internal.venue.clock import Auction, parse_moment


async def require_token(request: Request, configuration: TheConfiguration) -> None:
    """Requires the bearer token for everything that changes something, wherever one is configured."""
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


@router.get("/state")
def get_state(exchange: TheExchange) -> State:
    """The exchange's clock and market."""
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
            moment = exchange.core.next_stop(auction)
        else:
            moment = parse_moment(move.timestamp or "")
        for step in exchange.core.steps_to(moment):
            await run_in_threadpool(exchange.core.step, step)
            await publisher.publish_recorded()
        await run_in_threadpool(exchange.core.rest_at, moment)
    return await run_in_threadpool(state_of, exchange)


class CashFlow(BaseModel):
    """Dollars that are deposited (positive) or withdrawn (negative), to the cent."""

    model_config = ConfigDict(extra="forbid")

    amount: Decimal


@router.post("/cash-flows", status_code=HTTPStatus.CREATED)
def move_cash(
    exchange: TheExchange, flow: Annotated[CashFlow, Body(examples=[{"amount": "50000"}, {"amount": "-250.75"}])]
) -> FillBody | MovementBody:
    """Deposits or withdraws cash; the account's activities list it as CSD or CSW.

    422 for no amount, a fraction of a cent, or more than can be withdrawn.
    """
    row = exchange.core.transfer_cash(flow.amount)
    return activity_body(exchange.core.state.identity.account_id, row)


@router.get("/orders")
def get_orders(exchange: TheExchange) -> OrderRecords:
    """Every order ever accepted with its fills, oldest first: the proof that none was lost and none sent twice."""
    return order_records(exchange)


@router.get("/events")
async def get_events(bus: TheBus) -> RecentEvents:
    """The last 100 events that the exchange sent, with the state of each delivery."""
    return await bus.recent()


@router.post("/faults", status_code=HTTPStatus.CREATED)
def inject_fault(
    exchange: TheExchange,
    fault: Annotated[Fault, Body(examples=[{"kind": "gateway_timeout", "path": "/v2/orders", "method": "POST"}])],
) -> StoredFault:
    """Injects a fault; it strikes `count` times and survives a restart."""
    return exchange.faults.add_fault(fault)


@router.post("/statements", status_code=HTTPStatus.CREATED)
def state_action(
    exchange: TheExchange,
    statement: Annotated[
        Statement, Body(examples=[{"kind": "withdrawn", "action_id": "E0123456789abcdef", "day": "2025-01-06"}])
    ],
) -> Statement:
    """Says how the market data vendors state a corporate action from a day on: late, twice, corrected, withdrawn."""
    exchange.faults.add_statement(statement)
    return statement


@router.get("/statements")
def get_statements(exchange: TheExchange) -> list[Statement]:
    """Every statement, oldest first."""
    return exchange.faults.list_statements()


@router.get("/faults")
def get_faults(exchange: TheExchange) -> list[StoredFault]:
    """Every fault with what remains of it."""
    return exchange.faults.list_faults()


@router.delete("/faults", status_code=HTTPStatus.NO_CONTENT)
def remove_faults(exchange: TheExchange) -> None:
    """Deletes every fault and statement."""
    exchange.faults.clear_faults()
