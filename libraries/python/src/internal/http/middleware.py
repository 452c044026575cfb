"""ASGI middleware of every service: request id, bearer token, limit of the body, access log and metrics."""

import re
import time
import uuid
from http import HTTPStatus
from urllib.parse import quote

import structlog
from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from polars.exceptions import PanicException
from prometheus_client import Counter, Gauge, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from internal.errors import ContentTooLargeError, FundError, UnauthorizedError
from internal.http.access import FORMS, SIGN_IN, Access, is_open
from internal.http.bearer import MUTATING_METHODS, bearer_of
from internal.http.problems import find_page, fund_problem, problem_response
from internal.telemetry import get_logger

REQUEST_ID_HEADER = "X-Request-ID"
REQUEST_ID_PATTERN = re.compile(r"[A-Za-z0-9._:-]{1,128}")
KNOWN_METHODS = MUTATING_METHODS | {"GET", "HEAD", "OPTIONS"}
QUIET_PATHS = frozenset({"/health", "/ready", "/metrics"})  # requested every few seconds: counted, not logged

FORM_BYTES = 16 * 1024  # a form has some short fields

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}  # what is no page loads nothing; a page states what it loads (internal.pages.responses)

LABELS = ("service", "method", "route")
REQUESTS = Counter("http_requests_total", "Requests answered", (*LABELS, "status"))
DURATIONS = Histogram("http_request_duration_seconds", "Time from a request's first byte to its last", LABELS)
IN_FLIGHT = Gauge("http_requests_in_flight", "Requests being answered now", ("service",))


class ServiceMiddleware:
    """Everything that happens around each request, in one pass.

    An exception without a handler is logged with the request's id and answered as a 500 problem without internals.
    """

    def __init__(self, application: ASGIApp, service: str, access: Access, maximum_body_bytes: int) -> None:
        self._application = application
        self._service = service
        self._access = access
        self._maximum_body_bytes = maximum_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; anything that is not HTTP (the lifespan) passes through."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID_HEADER, "")
        request_id = given if REQUEST_ID_PATTERN.fullmatch(given) else uuid.uuid4().hex
        response = _Response(send, request_id, closing=scope["app"].state.draining)
        started = time.perf_counter()
        with (
            structlog.contextvars.bound_contextvars(request_id=request_id),
            IN_FLIGHT.labels(self._service).track_inprogress(),
        ):
            try:
                await self._answer(scope, receive, response)
            finally:
                self._record(scope, response.status, time.perf_counter() - started)

    async def _answer(self, scope: Scope, receive: Receive, response: "_Response") -> None:
        try:
            limit = self._body_limit(scope)
            await self._admit(scope, limit)
            answered: Scope = dict(scope)
            if scope["method"] == "HEAD":
                answered["method"] = "GET"  # the server sends no body
            try:
                await self._application(answered, _limited(receive, limit), response)
            finally:
                scope["route"] = answered.get("route")
        except FundError as error:
            await self._refuse(Request(scope), error)(scope, receive, response)
        except (Exception, PanicException):  # a panic of Polars is no Exception
            get_logger(__name__).exception("request_crashed", method=scope["method"], path=scope["path"])
            if response.started:
                raise
            detail = f"an unexpected error occurred; find it in the log under request id {response.request_id}"
            await problem_response(Request(scope), 500, FundError.title, FundError.slug, detail)(
                scope, receive, response
            )

    def _body_limit(self, scope: Scope) -> int:
        """The bytes of the largest body; a form is filled in by hand, and that of the sign-in by anybody."""
        return FORM_BYTES if scope["path"].startswith(FORMS) else self._maximum_body_bytes

    async def _admit(self, scope: Scope, limit: int) -> None:
        """Refuse whoever may not send the request, and a body that is too large."""
        headers = Headers(scope=scope)
        if self._access.role_of_token(bearer_of(headers)) is None and not is_open(scope["path"]):
            await self._access.sessions.refresh(headers)
        scope.setdefault("state", {})["role"] = self._access.admit(scope)
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > limit:
            raise ContentTooLargeError(_too_large(limit))

    def _refuse(self, request: Request, error: FundError) -> Response:
        """A problem; a person who has not signed in is led to where that is done."""
        if not isinstance(error, UnauthorizedError) or find_page(request) is None:
            return fund_problem(request, error)
        path = request.url.path if request.method == "GET" else "/"
        return RedirectResponse(f"{SIGN_IN}?next={quote(path)}", HTTPStatus.SEE_OTHER)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unmatched")
        method = scope["method"] if scope["method"] in KNOWN_METHODS else "OTHER"
        REQUESTS.labels(self._service, method, route, str(status)).inc()
        DURATIONS.labels(self._service, method, route).observe(seconds)
        if scope["path"] not in QUIET_PATHS:
            get_logger("access").info(
                "request", method=method, path=scope["path"], status=status, duration_seconds=round(seconds, 6)
            )


def _too_large(limit: int) -> str:
    return f"the body is larger than {limit} bytes; send it in parts"


def _limited(receive: Receive, limit: int) -> Receive:
    """Count the body as it arrives, since a chunked one declares no length."""
    received = 0

    async def limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _too_large(limit))
        return message

    return limited


class _Response:
    """The response being sent: adds the request's id and remembers the status.

    `closing`: the service is about to end; `Connection: close` makes the caller use another connection next time.
    """

    def __init__(self, send: Send, request_id: str, *, closing: bool) -> None:
        self._send = send
        self._closing = closing
        self.request_id = request_id
        self.status = 500
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers[REQUEST_ID_HEADER] = self.request_id
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            if self._closing:
                headers["Connection"] = "close"
        await self._send(message)
