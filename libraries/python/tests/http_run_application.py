"""A small service for test_http_run, which starts it as a process with `python -m internal.http.run`."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from internal.http.service import create_service
from internal.telemetry import configure_logging


@asynccontextmanager
async def lifespan(_application: FastAPI) -> AsyncGenerator[None]:
    """Nothing to open."""
    yield


def create_application() -> FastAPI:
    """A service with one route that takes as long as the query asks for."""
    configure_logging("small", "json")
    drain_seconds = float(os.environ["DRAIN_SECONDS"])
    application = create_service("small", "", lifespan, token=None, readiness={}, drain_seconds=drain_seconds)

    @application.get("/work")
    async def work(seconds: float) -> dict[str, float]:
        await asyncio.sleep(seconds)
        return {"seconds": seconds}

    return application
