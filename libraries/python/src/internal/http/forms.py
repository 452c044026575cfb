"""The routes of the pages' forms: each is a POST below `/forms/` with the CSRF token of the page that showed it."""

from typing import Annotated, cast

from fastapi import APIRouter, Depends, Form, Request

from internal.http.access import FORMS, Access


def access_of(request: Request) -> Access:
    """The access rules of the service that received the request."""
    return cast("Access", request.app.state.access)


def require_csrf_token(request: Request, csrf_token: Annotated[str, Form()] = "") -> None:
    """Raise ForbiddenError unless the form was shown by a page of the same session; a FastAPI dependency."""
    access_of(request).sessions.require_csrf_token(request.headers, csrf_token)


def make_form_router() -> APIRouter:
    """A router for forms; they are for browsers, so that the API's description leaves them out."""
    return APIRouter(
        prefix=FORMS.rstrip("/"), tags=["forms"], dependencies=[Depends(require_csrf_token)], include_in_schema=False
    )
