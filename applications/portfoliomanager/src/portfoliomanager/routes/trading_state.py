"""The trading state over HTTP: what the fund may send, and the change of it by a person."""

from fastapi import APIRouter, BackgroundTasks, Request
from polars.exceptions import PanicException, PolarsError

from internal.errors import ForbiddenError, FundError
from internal.http.access import role_of
from internal.http.roles import Role
from internal.telemetry import get_logger
from internal.trading.trading_state import TradingState
from portfoliomanager.requests import StateRequest
from portfoliomanager.services import RequestServices, Services
from portfoliomanager.trading_state_responses import StateSetResponse, TradingStateResponse

UNREADABLE = (
    "the journal of orders cannot be read ({}), so orders are not counted and nothing is sent: look into "
    "portfoliomanager's log, and restore a backup where a file is damaged"
)

logger = get_logger(__name__)
router = APIRouter(prefix="/trading-state", tags=["trading state"])


@router.get("", summary="What the fund may send, since when, by whom and why")
def get_trading_state(services: RequestServices) -> TradingStateResponse:
    """The state as it is stored now, whichever process wrote it."""
    return _respond(services)


@router.put("", summary="Halt trading, let it only reduce, or resume it")
def put_trading_state(
    body: StateRequest, request: Request, services: RequestServices, background: BackgroundTasks
) -> StateSetResponse:
    """Store the state; it is in force for every order that is not sent yet, and holds until a person changes it.

    It asks neither the broker nor the lease. After a halt an interrupted run goes on, and a session whose decision it
    has refused is decided. A reader's token only makes the state stricter.
    """
    before = services.journal.trading_state()
    changed, after = set_state(services, body, role_of(request.scope), background), _respond(services)
    accepted = changed and after.state.strictness < before.state.strictness
    return StateSetResponse(**after.model_dump(), changed=changed, losses_accepted=accepted)


def set_state(services: Services, body: StateRequest, role: Role | None, background: BackgroundTasks) -> bool:
    """Change the state as the person of that role may; whether it was changed: `active` is not where it is so.

    Raises ForbiddenError for a reader who would not tighten it.
    """
    operations, before = services.operations, services.journal.trading_state()
    if role is Role.OWNER:
        change = operations.change_state(body.state, body.changed_by, body.reason)
    elif body.state.strictness > before.state.strictness:
        change = operations.tighten_state(body.state, body.changed_by, body.reason)
    else:
        raise ForbiddenError(f"a reader only makes the trading state stricter, and it is {before.state} now")
    if change.state is not TradingState.HALTED:
        was_halted = before.state is TradingState.HALTED
        background.add_task(services.cycle.decide_held_session if was_halted else operations.go_on)
    return change.number != before.number


def _respond(services: Services) -> TradingStateResponse:
    """The state in force; where the journal cannot be read, the state all the same, and that orders are not counted."""
    change = services.journal.trading_state()
    try:
        services.journal.refresh()
        unfinished, undecided = services.journal.unfinished(), services.operations.describe_undecided()
    except (FundError, PolarsError, PanicException) as error:
        logger.exception("journal_not_read")
        unfinished, undecided = (), UNREADABLE.format(type(error).__name__)
    return TradingStateResponse.at(change, services.clock.mode, unfinished, undecided)
