"""Datamanager as a service: the one place that opens, wires, yields and closes its parts.

Knows every part and which adapter stands behind which port. Knows no rule of theirs. Run it with
`python -m internal.http.run datamanager.server:create_application --port PORT`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from cloudevents.core.v1.event import CloudEvent
from fastapi import FastAPI

from datamanager.adapters.polygon import Polygon
from datamanager.configuration import Configuration
from datamanager.details import EquityDetails
from datamanager.events import SESSION_CLOSED, SOURCE, on_session_closed
from datamanager.freshness import Watch
from datamanager.ingestion import Ingestion
from datamanager.readiness import VendorReadiness, check_lake
from datamanager.routes import (
    corporate_actions,
    equity_bars,
    equity_details,
    portfolios,
    predictions,
    query,
    sessions,
)
from datamanager.services import Services
from internal.cloud_events import EventBus
from internal.http.service import create_service
from internal.lake.store import Lake
from internal.telemetry import configure_logging

ROUTES = (equity_bars, equity_details, corporate_actions, sessions, predictions, portfolios, query)


def create_application(configuration: Configuration | None = None) -> FastAPI:
    """The service; without a configuration, it is read from the environment (ConfigurationError: what is missing)."""
    settings = configuration or Configuration()
    configure_logging("datamanager", settings.log_format, settings.secrets())
    parts, vendor = _wire(settings)
    readiness = VendorReadiness(vendor)

    @asynccontextmanager
    async def lifespan(application: FastAPI) -> AsyncIterator[None]:
        application.state.services = parts
        watching = asyncio.create_task(Watch(parts.lake, vendor).run())
        try:
            async with parts.bus:
                yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            vendor.close()

    application = create_service(
        "datamanager",
        "Collects and keeps equity bars, details, corporate actions, predictions and portfolios.",
        lifespan,
        token=settings.fund_api_token,
        drain_seconds=settings.drain_seconds,
        readiness={
            "lake": lambda _: check_lake(parts.lake),
            "vendor": lambda _: readiness.check(),
            "events": parts.bus.check,
        },
    )
    for routes in ROUTES:
        application.include_router(routes.router)
    application.include_router(parts.bus.router())
    return application


def _wire(settings: Configuration) -> tuple[Services, Polygon]:
    """Every part behind its port; nothing is opened yet."""
    lake = Lake(settings.data_bucket, settings.storage_options())
    vendor = Polygon(
        settings.polygon_api_key.get_secret_value(), settings.polygon_base_url, settings.polygon_requests_per_minute
    )
    ingestion = Ingestion(lake, vendor)

    async def session_closed(event: CloudEvent) -> None:
        await on_session_closed(event, ingestion, bus)

    bus = EventBus(
        settings.state_directory,
        SOURCE,
        settings.event_subscribers,
        {SESSION_CLOSED: session_closed},
        token=settings.fund_api_token,
    )
    return Services(lake, ingestion, EquityDetails(lake, vendor), bus), vendor
