"""A small service for test_http_run, started there as a process of its own by `python -m internal.http.run`."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from internal.http.service import create_service
from internal.telemetry import configure_logging


@asynccontextmanager
async def lifespan(_application: FastAPI) -> AsyncIterator[None]:
    """Nothing to open."""
    yield


def create_application() -> FastAPI:
    """One route that takes as long as it is asked to."""
    configure_logging("small", "json")
    drain_seconds = float(os.environ["DRAIN_SECONDS"])
    application = create_service("small", "", lifespan, token=None, readiness={}, drain_seconds=drain_seconds)

    @application.get("/work")
    async def work(seconds: float) -> dict[str, float]:
        await asyncio.sleep(seconds)
        return {"seconds": seconds}

    return application
