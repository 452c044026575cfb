"""The frame that every service stands in: problems, request ids, token, health, readiness, metrics.

Knows how a service presents itself. Knows nothing of what it serves: routers and lifespan come from the application.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import SecretStr

from internal.errors import FundError, UnavailableError
from internal.http.middleware import ServiceMiddleware
from internal.http.problems import MEDIA_TYPE, Problem, install_problem_handlers, problem_response
from internal.telemetry import get_logger

type ReadinessCheck = Callable[[FastAPI], Awaitable[object]]

MAXIMUM_BODY_BYTES = 64 * 1024 * 1024  # a day's predictions of 8,000 tickers are 4 MB
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
    maximum_body_bytes: int = MAXIMUM_BODY_BYTES,
    drain_seconds: float = 0,
) -> FastAPI:
    """A FastAPI application with everything that services share; add routers to it.

    `title` is the service's name in logs and metrics. `token`, when it is not empty, is asked for on every POST, PUT,
    PATCH and DELETE. Each check of `readiness` gets the application and raises a FundError while its port is not ready.
    For `drain_seconds` after SIGTERM it goes on answering, but is not ready any more (`internal.http.run`).
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
    install_problem_handlers(application)
    application.add_middleware(ServiceMiddleware, service=title, token=token, maximum_body_bytes=maximum_body_bytes)
    _add_operations(application, readiness)
    return application


def _add_operations(application: FastAPI, readiness: Mapping[str, ReadinessCheck]) -> None:
    @application.get("/health", tags=["operations"], summary="Alive: the process answers")
    async def health() -> dict[str, str]:
        return {"status": "alive"}

    @application.get("/ready", tags=["operations"], summary="Ready: every port answers", response_model=None)
    async def ready(request: Request) -> Response | dict[str, Any]:
        kind = UnavailableError
        if application.state.draining:
            return problem_response(request, kind.status, "Not ready", kind.slug, "draining: it was told to end")
        names = list(readiness)
        found = await asyncio.gather(*(_ask(readiness[name], application) for name in names))
        checks = dict(zip(names, found, strict=True))
        if all(answer == "ok" for answer in found):
            return {"status": "ready", "checks": checks}
        detail = "; ".join(f"{name}: {answer}" for name, answer in checks.items() if answer != "ok")
        return problem_response(request, kind.status, "Not ready", kind.slug, detail, extensions={"checks": checks})

    @application.get("/metrics", tags=["operations"], summary="Prometheus metrics", response_class=Response)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _ask(check: ReadinessCheck, application: FastAPI) -> str:
    """`ok`, or one sentence about what is missing."""
    try:
        await asyncio.wait_for(check(application), READINESS_SECONDS)
    except FundError as error:
        return error.detail
    except TimeoutError:
        return f"no answer within {READINESS_SECONDS:g} seconds"
    except Exception:  # noqa: BLE001 - logged with its traceback; a check that crashes is not ready
        get_logger(__name__).exception("readiness_check_crashed")
        return "the check itself failed; the log tells more"
    return "ok"
