"""The trading state over HTTP: what the fund may send, and the change of it by a person."""

from fastapi import APIRouter, BackgroundTasks

from internal.trading.trading_state import TradingState
from portfoliomanager.requests import StateRequest
from portfoliomanager.services import RequestServices, Services
from portfoliomanager.trading_state_responses import TradingStateResponse

router = APIRouter(prefix="/trading-state", tags=["trading state"])


@router.get("", summary="What the fund may send, since when, by whom and why")
def get_trading_state(services: RequestServices) -> TradingStateResponse:
    """The state as it is stored now, whichever process wrote it."""
    return _respond(services)


@router.put("", summary="Halt trading, let it only reduce, or resume it")
def put_trading_state(
    body: StateRequest, services: RequestServices, background: BackgroundTasks
) -> TradingStateResponse:
    """Store the state; it is in force for every order that is not sent yet, and holds until a person changes it.

    It asks neither the broker nor the lease. After `active`, an interrupted run goes on.
    """
    change = services.operations.change_state(body.state, body.changed_by, body.reason)
    if change.state is not TradingState.HALTED:
        background.add_task(services.operations.go_on)
    return _respond(services)


def _respond(services: Services) -> TradingStateResponse:
    services.journal.refresh()
    change, unfinished = services.journal.trading_state(), services.journal.unfinished()
    return TradingStateResponse.at(change, services.clock.mode, unfinished)
