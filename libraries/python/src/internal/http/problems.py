"""Answers every error of an application with problem details (RFC 9457)."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from internal.errors import ContentTooLargeError, FundError, InvalidRequestError, SchemaError, UnauthorizedError
from internal.http.problem_body import Problem
from internal.http.problem_names import MEDIA_TYPE, TYPE_PREFIX
from internal.telemetry import get_logger

type ProblemPage = Callable[[Request, Problem], Response]


def problem_response(  # noqa: PLR0913 - the members of RFC 9457
    request: Request,
    status: int,
    title: str,
    slug: str,
    detail: str,
    *,
    errors: list[Any] | None = None,
    headers: dict[str, str] | None = None,
    extensions: dict[str, Any] | None = None,
) -> Response:
    """Make the problem response to a request; `errors` are the single faults of a validation.

    A browser gets a page where the service has pages.
    """
    path = request.url.path
    if (page := find_page(request)) is not None:
        return page(
            request, Problem(type=f"{TYPE_PREFIX}{slug}", title=title, status=status, detail=detail, instance=path)
        )
    body = {
        "type": f"{TYPE_PREFIX}{slug}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": path,
        **({"errors": errors} if errors else {}),
        **(extensions or {}),
    }
    return JSONResponse(body, status, headers, MEDIA_TYPE)


def find_page(request: Request) -> ProblemPage | None:
    """What shows a problem to a person, whose browser names HTML, where the service has pages."""
    page: ProblemPage | None = request.app.state.problem_page
    return page if "text/html" in request.headers.get("accept", "") else None


def fund_problem(request: Request, error: FundError) -> Response:
    """Make the problem response for an error of the fund."""
    return problem_response(
        request,
        error.status,
        error.title,
        error.slug,
        error.detail,
        errors=error.failures if isinstance(error, SchemaError) else None,
        headers={"WWW-Authenticate": "Bearer"} if isinstance(error, UnauthorizedError) else None,
    )


async def _answer_fund_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, FundError):
        raise error
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        get_logger(__name__).warning("request_failed", status=error.status, detail=error.detail)
    return fund_problem(request, error)


async def _answer_http_exception(request: Request, error: Exception) -> Response:
    """404, 405 and the like, as the router raises them."""
    if not isinstance(error, HTTPException):
        raise error
    phrase = HTTPStatus(error.status_code).phrase
    if error.status_code == ContentTooLargeError.status:
        return fund_problem(request, ContentTooLargeError(error.detail))
    slug = phrase.lower().replace(" ", "-")
    detail = error.detail if error.detail != phrase else f"{request.method} {request.url.path}: {phrase.lower()}"
    headers = dict(error.headers) if error.headers else None
    return problem_response(request, error.status_code, phrase, slug, detail, headers=headers)


async def _answer_validation_error(request: Request, error: Exception) -> Response:
    """422 with one entry a fault; the value itself is left out, since it may be a secret."""
    if not isinstance(error, RequestValidationError):
        raise error
    faults = [{"location": [str(part) for part in one["loc"]], "message": one["msg"]} for one in error.errors()]
    detail = "; ".join(f"{'.'.join(fault['location'])}: {fault['message']}" for fault in faults)
    kind = InvalidRequestError
    return problem_response(request, kind.status, kind.title, kind.slug, detail, errors=faults)


def install_problem_handlers(application: FastAPI, problem_page: ProblemPage | None = None) -> None:
    """Make every error of the application answer as a problem, to a browser as `problem_page` shows it."""
    application.state.problem_page = problem_page
    application.add_exception_handler(FundError, _answer_fund_error)
    application.add_exception_handler(HTTPException, _answer_http_exception)
    application.add_exception_handler(RequestValidationError, _answer_validation_error)
