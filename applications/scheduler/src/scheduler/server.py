"""The scheduler as a service: makes its components, starts and stops them, and assembles its routes.

Run it with `python -m internal.http.run scheduler.server:create_application --port PORT`.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI

from internal.cloud_events import EventBus
from internal.errors import UnavailableError
from internal.http.service import create_service
from internal.lake.lease import Lease
from internal.lake.objects import Objects
from internal.telemetry import configure_logging
from scheduler import metrics
from scheduler.adapters.services import HttpServices
from scheduler.adapters.stored_schedule import StoredSchedule
from scheduler.configuration import Configuration
from scheduler.events import SOURCE
from scheduler.loop import SchedulerLoop
from scheduler.retraining import Retraining
from scheduler.routes import schedule
from scheduler.services import Services, services_of


def create_application(configuration: Configuration | None = None) -> FastAPI:
    """Create the service; without a configuration it is read from the environment.

    Raises:
        ConfigurationError: A setting is missing or wrong.
    """
    settings = configuration or Configuration()  # pyright: ignore[reportCallIssue]  # read from the environment
    configure_logging("scheduler", settings.log_format, settings.secrets())
    services = make_services(settings)
    application = create_service(
        "scheduler",
        "Starts each run of the fund by the exchange's calendar, follows it, and records its outcome.",
        run_components,
        token=settings.fund_api_token,
        drain_seconds=settings.drain_seconds,
        readiness={"lease": check_lease, "market": check_market, "runs": check_runs},
    )
    application.state.services = services
    application.include_router(schedule.router)
    application.include_router(services.bus.router())
    return application


def make_services(settings: Configuration) -> Services:
    """Make every component; nothing is opened yet."""
    objects = Objects(settings.data_bucket, settings.storage_options())
    fund = HttpServices(settings.datamanager_url, settings.portfoliomanager_url, settings.fund_api_token)
    lease = Lease(objects, "scheduler", settings.state_directory, settings.lease_seconds)
    metrics.watch_lease(lease)
    subscribers = (settings.datamanager_url, settings.portfoliomanager_url, *settings.event_subscribers)
    bus = EventBus(settings.state_directory, SOURCE, subscribers, {}, token=settings.fund_api_token)
    models = settings.models_state_directory or settings.state_directory / "models"
    retraining = Retraining(settings.state_directory, models, settings.retrain_model)
    timetable, store = settings.timetable(), StoredSchedule(objects)
    loop = SchedulerLoop(
        timetable,
        fund,
        store,
        lease,
        bus,
        retraining,
        waits_for_import=settings.waits_for_import,
        turn_seconds=settings.turn_seconds,
    )
    return Services(timetable, fund, store, lease, bus, retraining, loop)


@asynccontextmanager
async def run_components(application: FastAPI) -> AsyncGenerator[None]:
    """Hold the lease, run the event bus and the loop until the application ends; a training ends with it."""
    services = services_of(application)
    with services.lease:
        async with services.bus:
            turning = asyncio.create_task(services.loop.run())
            try:
                yield
            finally:
                turning.cancel()
                with suppress(asyncio.CancelledError):
                    await turning
                await asyncio.to_thread(services.retraining.stop)
                services.fund.close()


async def check_lease(application: FastAPI) -> None:
    """Readiness check: this scheduler is the one that acts."""
    await asyncio.to_thread(services_of(application).lease.require)


async def check_market(application: FastAPI) -> None:
    """Readiness check: the last turn read the market's clock and asked both services what it needed."""
    services_of(application).loop.check()


async def check_runs(application: FastAPI) -> None:
    """Readiness check: no run is overdue."""
    loop = services_of(application).loop
    overdue = loop.schedule.overdue(loop.time.moment) if loop.time else []
    if overdue:
        named = "; ".join(f"the {run.kind} of {run.session}{run.reason and f' ({run.reason})'}" for run in overdue)
        raise UnavailableError(f"overdue: {named}")
