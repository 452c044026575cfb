"""Creates the FastAPI application of a service: problems, request ids, token, health, readiness and metrics."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, cast

from fastapi import APIRouter, FastAPI, Request, Response
from polars.exceptions import PanicException
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, SecretStr

from internal.errors import FundError, UnavailableError
from internal.http.access import Access
from internal.http.middleware import ServiceMiddleware
from internal.http.problem_body import Problem
from internal.http.problem_names import MEDIA_TYPE
from internal.http.problems import ProblemPage, install_problem_handlers, problem_response
from internal.http.sessions import EndedSessions
from internal.telemetry import get_logger

type ReadinessCheck = Callable[[FastAPI], Awaitable[object]]

MAXIMUM_BODY_BYTES = 64 * 1024 * 1024  # a day's predictions of 8,000 tickers are 4 MB
PASSED = "ok"  # a readiness check's result
READINESS_SECONDS = 5.0  # a check that takes longer has failed

PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {"description": "A problem (RFC 9457)", "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}}
}


def create_service(  # noqa: PLR0913 - a service is wired once, by name
    title: str,
    description: str,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]],
    *,
    token: SecretStr | None,
    readiness: Mapping[str, ReadinessCheck],
    notes: Callable[[FastAPI], dict[str, str]] = lambda _: {},
    maximum_body_bytes: int = MAXIMUM_BODY_BYTES,
    drain_seconds: float = 0,
    reader_paths: Collection[str] = (),
    problem_page: ProblemPage | None = None,
    ended_sessions: EndedSessions | None = None,
) -> FastAPI:
    """Create a FastAPI application with everything that services share; routers are added to it.

    Args:
        title: The service's name in logs and metrics.
        description: For the API's description.
        lifespan: Opens and closes the service's components.
        token: The owner's bearer token (`internal.http.access`), unless it is empty.
        readiness: Checks by name; each gets the application and raises a FundError while its component is not ready.
        notes: What else `/ready` says, by name; it makes the service neither ready nor not.
        maximum_body_bytes: Larger request bodies are refused.
        drain_seconds: After SIGTERM the service answers for so long, while it is not ready (`internal.http.run`).
        reader_paths: Where a reader may also send what changes something.
        problem_page: Of a service with pages: shows a problem to a browser, which is led to the sign-in where it must.
        ended_sessions: Of a service with a sign-in: which sessions were ended; elsewhere no session counts.
    """
    application = FastAPI(
        title=title,
        description=description,
        lifespan=lifespan,
        responses=PROBLEM_RESPONSES,
        docs_url=None,
        redoc_url=None,
    )
    application.state.draining, application.state.drain_seconds = False, drain_seconds
    secret = token.get_secret_value() if token else ""
    access = application.state.access = Access(secret, reader_paths, ended_sessions)
    application.state.has_token = access.asks_for_token
    install_problem_handlers(application, problem_page)
    application.add_middleware(ServiceMiddleware, service=title, access=access, maximum_body_bytes=maximum_body_bytes)
    operations = application.state.operations = OperationRoutes(application, readiness, notes)
    application.include_router(operations.router())
    return application


class Health(BaseModel):
    """The answer of `GET /health`."""

    status: Literal["alive"] = "alive"


class Readiness(BaseModel):
    """The answer of `GET /ready` while every check passes; `checks` holds `ok` by name."""

    status: Literal["ready"] = "ready"
    checks: dict[str, str]
    notes: dict[str, str] | None = None


class OperationRoutes:
    """The handlers of health, readiness and metrics, for one application."""

    def __init__(
        self,
        application: FastAPI,
        readiness: Mapping[str, ReadinessCheck],
        notes: Callable[[FastAPI], dict[str, str]],
    ) -> None:
        self._application, self._readiness, self._notes = application, readiness, notes

    async def health(self) -> Health:
        """Answer: the process is alive."""
        return Health()

    async def ready(self, request: Request) -> Response | Readiness:
        """Run every check; 503 with the results when one fails or the service drains."""
        kind = UnavailableError
        if self._application.state.draining:
            detail = "draining: the service is about to end"
            return problem_response(request, kind.status, "Not ready", kind.slug, detail)
        checks = await self.run_checks()
        if all(result == PASSED for result in checks.values()):
            return Readiness(checks=checks, notes=self._notes(self._application) or None)
        detail = "; ".join(f"{name}: {result}" for name, result in checks.items() if result != PASSED)
        return problem_response(request, kind.status, "Not ready", kind.slug, detail, extensions={"checks": checks})

    async def run_checks(self) -> dict[str, str]:
        """Each check's result: `ok`, or one sentence about what is missing."""
        results = await asyncio.gather(*(_run_check(check, self._application) for check in self._readiness.values()))
        return dict(zip(self._readiness, results, strict=True))

    async def metrics(self) -> Response:
        """Answer with the metrics in Prometheus' text format."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    def router(self) -> APIRouter:
        """The router with the three endpoints."""
        router = APIRouter(tags=["operations"])
        router.add_api_route("/health", self.health, summary="Alive: the process answers")
        router.add_api_route(
            "/ready",
            self.ready,
            response_model=Readiness,
            response_model_exclude_none=True,
            summary="Ready: every check passes",
        )
        router.add_api_route("/metrics", self.metrics, response_class=Response, summary="Prometheus metrics")
        return router


def operation_routes_of(request: Request) -> OperationRoutes:
    """The handlers of the application that received the request."""
    return cast("OperationRoutes", request.app.state.operations)


async def _run_check(check: ReadinessCheck, application: FastAPI) -> str:
    """`ok`, or one sentence about what is missing."""
    try:
        await asyncio.wait_for(check(application), READINESS_SECONDS)
    except FundError as error:
        return error.detail
    except TimeoutError:
        return f"no answer within {READINESS_SECONDS:g} seconds"
    except (Exception, PanicException):  # noqa: BLE001 - logged with its traceback; a check that crashes is not ready
        get_logger(__name__).exception("readiness_check_crashed")
        return "the check itself failed; see the log"
    return PASSED
