"""The trading state over HTTP: what the fund may send, and the change of it by a person."""

from fastapi import APIRouter, BackgroundTasks, Request

from internal.errors import ForbiddenError
from internal.http.access import role_of
from internal.http.roles import Role
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
    body: StateRequest, request: Request, services: RequestServices, background: BackgroundTasks
) -> TradingStateResponse:
    """Store the state; it is in force for every order that is not sent yet, and holds until a person changes it.

    It asks neither the broker nor the lease. After `active`, an interrupted run goes on. A reader's token only makes
    the state stricter.
    """
    set_state(services, body, role_of(request.scope), background)
    return _respond(services)


def set_state(services: Services, body: StateRequest, role: Role | None, background: BackgroundTasks) -> None:
    """Change the state as the person of that role may. Raises ForbiddenError for a reader who would not tighten it."""
    operations = services.operations
    if role is Role.OWNER:
        change = operations.change_state(body.state, body.changed_by, body.reason)
    elif body.state.strictness > (present := services.journal.trading_state().state).strictness:
        change = operations.tighten_state(body.state, body.changed_by, body.reason)
    else:
        raise ForbiddenError(f"a reader only makes the trading state stricter, and it is {present} now")
    if change.state is not TradingState.HALTED:
        background.add_task(operations.go_on)


def _respond(services: Services) -> TradingStateResponse:
    services.journal.refresh()
    change, unfinished = services.journal.trading_state(), services.journal.unfinished()
    return TradingStateResponse.at(change, services.clock.mode, unfinished)
