"""Datamanager as a service: makes its components, starts and stops them, and assembles its routes.

Run it with `python -m internal.http.run datamanager.server:create_application --port PORT`.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from fastapi import FastAPI

from datamanager.action_migration import migrate_actions
from datamanager.adapters.edgar import Edgar, EdgarAddresses
from datamanager.configuration import Configuration
from datamanager.details import EquityDetails
from datamanager.events import SessionEvents
from datamanager.freshness import FreshnessMonitor
from datamanager.fundamentals import Fundamentals
from datamanager.ingestion import Ingestion
from datamanager.progress import CollectionProgress
from datamanager.query_process import QueryProcesses
from datamanager.readiness import VendorReadiness, check_lake
from datamanager.routes import (
    corporate_actions,
    data_checks,
    disagreements,
    equity_bars,
    equity_details,
    fundamentals,
    portfolios,
    predictions,
    quarantine,
    query,
    securities,
    sessions,
    universe,
)
from datamanager.securities import Securities
from datamanager.services import Services, services_of
from datamanager.vendors import make_cross_check, make_market_data
from internal.errors import FundError
from internal.http.service import create_service
from internal.lake.store import Lake
from internal.telemetry import configure_logging, get_logger

logger = get_logger(__name__)
ROUTES = (
    equity_bars,
    equity_details,
    fundamentals,
    securities,
    universe,
    corporate_actions,
    sessions,
    disagreements,
    quarantine,
    data_checks,
    predictions,
    portfolios,
    query,
)


def create_application(configuration: Configuration | None = None) -> FastAPI:
    """Create the service; without a configuration it is read from the environment.

    Raises:
        ConfigurationError: A setting is missing or wrong.
    """
    settings = configuration or Configuration()  # pyright: ignore[reportCallIssue]  # read from the environment
    configure_logging("datamanager", settings.log_format, settings.secrets())
    services = make_services(settings)
    application = create_service(
        "datamanager",
        "Ingests and stores equity bars, details, fundamentals, corporate actions, predictions and portfolios.",
        run_components,
        token=settings.fund_api_token,
        drain_seconds=settings.drain_seconds,
        readiness={"lake": check_lake_ready, "vendor": check_vendor_ready, "events": services.events.bus.check},
        notes=describe_gaps,
    )
    application.state.services = services
    for routes in ROUTES:
        application.include_router(routes.router)
    application.include_router(services.events.bus.router())
    return application


def make_services(settings: Configuration) -> Services:
    """Make every component; nothing is opened yet."""
    vendor = make_market_data(settings.market_data_vendor, settings)
    company_data = Edgar(
        settings.edgar_user_agent,
        EdgarAddresses(settings.edgar_base_url, settings.edgar_data_base_url),
        settings.edgar_requests_per_second,
    )
    progress = CollectionProgress()
    lake = Lake(settings.data_bucket, settings.storage_options())
    cross_check = make_cross_check(lake, vendor, settings)
    aliases = Securities(lake, vendor)
    ingestion = Ingestion(lake, vendor, aliases, cross_check.start)
    return Services(
        lake,
        vendor,
        ingestion,
        cross_check,
        company_data,
        progress,
        EquityDetails(lake, vendor, company_data, aliases, progress),
        Fundamentals(lake, vendor, company_data, progress),
        SessionEvents(ingestion, settings.state_directory, settings.event_subscribers, settings.fund_api_token),
        FreshnessMonitor(lake, vendor),
        VendorReadiness(vendor),
        QueryProcesses(lake),
    )


@asynccontextmanager
async def run_components(application: FastAPI) -> AsyncGenerator[None]:
    """Run the event bus and the freshness monitor until the application ends, then close the vendors' connections.

    A lake of an earlier version is migrated first; where that fails, the next ingestion does it.
    """
    services = services_of(application)
    try:
        await asyncio.to_thread(migrate_actions, services.lake, datetime.now(UTC))
    except FundError as error:
        logger.warning("corporate_actions_not_migrated", error=error.detail)
    monitoring = asyncio.create_task(services.freshness.run())
    try:
        async with services.events.bus:
            yield
    finally:
        monitoring.cancel()
        with suppress(asyncio.CancelledError):
            await monitoring
        await services.cross_check.close()
        services.market_data.close()
        services.company_data.close()


async def check_lake_ready(application: FastAPI) -> None:
    """Readiness check: the lake can be opened."""
    await check_lake(services_of(application).lake)


async def check_vendor_ready(application: FastAPI) -> None:
    """Readiness check: the vendor answers."""
    await services_of(application).vendor_readiness.check()


def describe_gaps(application: FastAPI) -> dict[str, str]:
    """What `/ready` says of sessions that the lake lacks."""
    return services_of(application).freshness.describe_gaps()
