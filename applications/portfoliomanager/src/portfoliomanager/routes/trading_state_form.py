"""The form of the pages that changes the trading state."""

import asyncio
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from internal.errors import ConflictError, FundError, InvalidRequestError
from internal.http.access import role_of
from internal.http.forms import make_form_router
from internal.http.roles import Role
from internal.pages.responses import page_response
from internal.trading.trading_state import TradingState
from portfoliomanager.pages.rendering import render_page
from portfoliomanager.pages.trading_state import CONFIRMING_WORDS, StateFormView
from portfoliomanager.requests import StateRequest
from portfoliomanager.routes.page_frame import gather_frame
from portfoliomanager.routes.trading_state import set_state
from portfoliomanager.services import RequestServices

router = APIRouter(tags=["pages"])
forms = make_form_router()
LONGEST_REASON = 200


@router.get("/trading-state/change", summary="The form of the trading state", response_class=HTMLResponse)
async def get_form(request: Request) -> Response:
    """The states, what each means, and the word that confirms it."""
    return await _show(request, StateFormView())


@forms.post("/trading-state")
async def change_state(  # noqa: PLR0913, PLR0917 - the fields of the form
    request: Request,
    services: RequestServices,
    background: BackgroundTasks,
    state: Annotated[str, Form()] = "",
    word: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Change the state when the word is right and a reason is given; else the form again, with what was wrong."""
    try:
        asked = _read_form(state, word, reason, role := role_of(request.scope))
        if not await asyncio.to_thread(set_state, services, asked, role, background):
            raise ConflictError("trading is active already: nothing was changed")
    except FundError as error:
        return await _show(request, StateFormView(error.detail, reason), error.status)
    return RedirectResponse("/", HTTPStatus.SEE_OTHER, background=background)


def _read_form(state: str, word: str, reason: str, role: Role | None) -> StateRequest:
    """What the person asks for. Raises InvalidRequestError, which says what is missing."""
    if state not in set(TradingState):
        raise InvalidRequestError("choose one of the states")
    asked = TradingState(state)
    if word.strip() != CONFIRMING_WORDS[asked]:
        raise InvalidRequestError(f"type {CONFIRMING_WORDS[asked]} to confirm: nothing was changed")
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise InvalidRequestError(f"give a reason of at most {LONGEST_REASON} characters: nothing was changed")
    return StateRequest(state=asked, changed_by=f"{role or 'somebody'} on the page", reason=reason)


async def _show(request: Request, view: StateFormView, status: int = HTTPStatus.OK) -> Response:
    frame = await gather_frame(request, None)
    return page_response(request, render_page("trading_state.html", frame, view), status)


router.include_router(forms)
