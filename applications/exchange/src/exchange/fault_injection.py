"""Plays injected faults as wrong answers to requests; control, health and metrics are spared."""

import time
from http import HTTPStatus
from typing import cast
from uuid import uuid4

from anyio import sleep
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exchange.faults import Fault, FaultKind
from exchange.ports import FaultRepository
from exchange.vendor_paths import is_alpaca
from internal.telemetry import get_logger

SPARED = ("/control", "/health", "/ready", "/metrics", "/openapi.json")
UNREADABLE_BODY = b'{"code":40010001,"mess'
PROXY_PAGE = "<html><head><title>Just a moment...</title></head><body>Checking your connection</body></html>"


class FaultInjection:
    """The middleware; it finds the exchange on the application's state, as the routes do."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or plays the oldest fault that strikes it."""
        if scope["type"] != "http" or scope["path"].startswith(SPARED):
            await self._application(scope, receive, send)
            return
        faults = _find_faults(scope)
        fault = await run_in_threadpool(faults.take_request_fault, scope["method"], scope["path"])
        if fault is None:
            await self._application(scope, receive, send)
            return
        get_logger(__name__).info("fault_played", kind=str(fault.kind), method=scope["method"], path=scope["path"])
        await self._play(fault, scope, receive, send)

    async def _play(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        answer = Recorder()
        if fault.carries_out:
            await self._application(scope, receive, answer)
        if fault.kind is FaultKind.HANG:
            await sleep(60.0 if fault.seconds is None else fault.seconds)
            await _drop(send)
        elif fault.kind is FaultKind.TRUNCATED_BODY:
            await _truncated(answer)(scope, receive, send)
        else:
            await _wrong_answer(fault, scope["path"])(scope, receive, send)


def _find_faults(scope: Scope) -> FaultRepository:
    return cast("FaultRepository", scope["app"].state.exchange.faults)


class Recorder:
    """Receives the application's answer in the client's place."""

    def __init__(self) -> None:
        self.status = int(HTTPStatus.OK)
        self.headers = Headers()
        self.body = b""

    async def __call__(self, message: Message) -> None:
        """Records one message."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], Headers(raw=message["headers"])
        self.body += message.get("body", b"")


def _truncated(answer: Recorder) -> Response:
    """The first half of the answer, with a content length that hides it, as a proxy sends it on."""
    half = answer.body[: len(answer.body) // 2]
    return Response(half, answer.status, media_type=answer.headers.get("content-type", "application/json"))


async def _drop(send: Send) -> None:
    """Promises a body and ends without it: the server closes the connection, the client has no answer."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})


def _wrong_answer(fault: Fault, path: str) -> Response:
    if fault.kind is FaultKind.RATE_LIMIT:
        seconds = 1.0 if fault.seconds is None else fault.seconds
        return JSONResponse(_error_body(path, 42910000, "too many requests"), 429, _limit_headers(path, seconds))
    if fault.kind is FaultKind.HTML_BODY:
        return HTMLResponse(PROXY_PAGE)
    if fault.kind is FaultKind.UNREADABLE_REFUSAL:
        return Response(UNREADABLE_BODY, 422, media_type="application/json")
    if fault.kind is FaultKind.GATEWAY_TIMEOUT:
        return JSONResponse(_error_body(path, 50410000, "request timed out"), 504)
    return JSONResponse(_error_body(path, 50010000, "internal server error occurred"), 500)


def _limit_headers(path: str, seconds: float) -> dict[str, str]:
    """When to ask again: Polygon says in how many seconds, Alpaca at which second since 1970 (of the machine)."""
    if not is_alpaca(path):
        return {"Retry-After": f"{seconds:g}"}
    reset = int(time.time() + seconds)
    return {"X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}


def _error_body(path: str, code: int, message: str) -> dict[str, object]:
    """The error in the words of the vendor whose path it is."""
    if is_alpaca(path):
        return {"code": code, "message": message}
    return {"status": "ERROR", "request_id": uuid4().hex, "error": message}
