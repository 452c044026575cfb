"""Signing in and out on the pages."""

from http import HTTPStatus
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from internal.http.forms import access_of, make_form_router
from internal.pages.responses import page_response
from portfoliomanager.pages.rendering import page_environment
from portfoliomanager.pages.sign_in import SignInView, find_own_path
from portfoliomanager.sign_in_limit import SignInLimit

router = APIRouter(tags=["pages"])
forms = make_form_router()


def get_limit(request: Request) -> SignInLimit:
    """The limit of the process; a FastAPI dependency."""
    return cast("SignInLimit", request.app.state.sign_in_limit)


@router.get("/sign-in", summary="Sign in on the pages", response_class=HTMLResponse)
def get_sign_in(request: Request, next: str = "/") -> Response:  # noqa: A002 - the name in the address
    """The form; its answer is a session of twelve hours."""
    return _show(request, next)


@forms.post("/sign-in")
def sign_in(
    request: Request,
    limit: Annotated[SignInLimit, Depends(get_limit)],
    token: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002 - the name in the address
) -> Response:
    """Start a session with the role of the token."""
    limit.count(request.client.host if request.client else "")
    access = access_of(request)
    role = access.role_of_token(token.strip())
    if role is None or not access.asks_for_token:
        return _show(request, next, "This is neither the owner's token nor a reader's.", HTTPStatus.UNAUTHORIZED)
    answer = RedirectResponse(find_own_path(next), HTTPStatus.SEE_OTHER)
    access.sessions.start(answer, role, secure=request.url.scheme == "https")
    return answer


@forms.post("/sign-out")
def sign_out(request: Request) -> Response:
    """End the session, also for whoever has copied its cookie."""
    answer = RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)
    access_of(request).sessions.end(request.headers, answer)
    return answer


def _show(request: Request, next_path: str, problem: str = "", status: int = HTTPStatus.OK) -> Response:
    access = access_of(request)
    csrf_token = access.sessions.make_csrf_token(request.headers)
    view = SignInView(find_own_path(next_path), csrf_token, access.asks_for_token, problem)
    html = page_environment().get_template("sign_in.html").render(view=view)
    return page_response(request, html, status)


router.include_router(forms)
