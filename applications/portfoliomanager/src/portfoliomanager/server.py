"""Portfoliomanager as a service: the one place that opens, wires, yields and closes its parts.

Knows every part and which adapter stands behind which port. Knows no rule of theirs. Run it with
`python -m internal.http.run portfoliomanager.server:create_application --port PORT`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import date

from fastapi import FastAPI

from internal.cloud_events import EventBus
from internal.dates import last_closed_session
from internal.errors import FundError
from internal.http.datamanager_client import DatamanagerClient
from internal.http.service import create_service
from internal.lake.lease import Lease
from internal.lake.objects import Objects
from internal.lake.store import Lake
from internal.model_registry import open_registry
from internal.telemetry import configure_logging, get_logger
from portfoliomanager import metrics
from portfoliomanager.adapters.alpaca_broker import AlpacaBroker
from portfoliomanager.adapters.lake_journal import LakeJournal
from portfoliomanager.configuration import Configuration
from portfoliomanager.events import SOURCE, DailyCycle, Reconciled
from portfoliomanager.forecasting import Champion, Predicted, predict
from portfoliomanager.model_watch import ModelWatch
from portfoliomanager.rebalance import Outcome, Rebalancer
from portfoliomanager.routes import orders, page, performance, portfolios, predictions, reconciliations
from portfoliomanager.services import Services

ROUTES = (predictions, portfolios, orders, performance, reconciliations, page)
RECOVERY_PAUSE_SECONDS = 5.0  # between attempts while broker or data service cannot be reached


def create_application(configuration: Configuration | None = None) -> FastAPI:
    """The service; without a configuration, it is read from the environment (ConfigurationError: what is missing)."""
    settings = configuration or Configuration()
    configure_logging("portfoliomanager", settings.log_format, settings.secrets())
    address = settings.registry_address()
    registry = open_registry(
        address, settings.storage_options_for(address), settings.state_directory / "registry-copies"
    )
    champion = Champion(registry)
    store = DatamanagerClient(settings.datamanager_url, settings.fund_api_token)
    watch = ModelWatch(registry, store)
    objects = Objects(settings.data_bucket, settings.storage_options())
    lease = Lease(objects, "trader", settings.state_directory, settings.lease_seconds)
    metrics.watch_lease(lease)
    parts = _wire(settings, store, champion, watch, lease)

    @asynccontextmanager
    async def lifespan(application: FastAPI) -> AsyncIterator[None]:
        application.state.services = parts
        with store, lease:
            recovery = asyncio.create_task(_recover(parts, watch))
            try:
                async with parts.bus:
                    yield
            finally:
                recovery.cancel()
                with suppress(asyncio.CancelledError):
                    await recovery
                champion.close()

    application = create_service(
        "portfoliomanager",
        "Forecasts, builds the portfolio, sends orders and reports.",
        lifespan,
        token=settings.fund_api_token,
        drain_seconds=settings.drain_seconds,
        readiness={
            "lease": lambda _: asyncio.to_thread(lease.require),
            "broker": lambda _: asyncio.to_thread(_ask_broker, parts),
            "datamanager": lambda _: asyncio.to_thread(store.check_health),
            "model": lambda _: asyncio.to_thread(champion.require),
            "events": parts.bus.check,
        },
    )
    for routes in ROUTES:
        application.include_router(routes.router)
    application.include_router(parts.bus.router())
    return application


def _wire(
    settings: Configuration, store: DatamanagerClient, champion: Champion, watch: ModelWatch, lease: Lease
) -> Services:
    """Every part behind its port; nothing is opened yet."""
    broker = AlpacaBroker(
        settings.alpaca_api_key_id.get_secret_value(),
        settings.alpaca_api_secret.get_secret_value(),
        settings.broker_url(),
    )
    journal = LakeJournal(Lake(settings.data_bucket, settings.storage_options()))
    rebalancer = Rebalancer(broker, store, journal, lease, settings.policy())

    def predict_session(day: date | None) -> Predicted:
        predicted = predict(store, champion, day, broker.moment())
        metrics.PREDICTION_SUCCESS.set_to_current_time()
        watch.show(predicted.day)
        return predicted

    def rebalance_session(day: date | None) -> Outcome:
        with metrics.counted_rebalance():
            outcome = rebalancer.run(day)
        metrics.REBALANCE_SUCCESS.set_to_current_time()
        metrics.show_book(journal)
        metrics.show_positions(broker.positions())
        return outcome

    def reconcile() -> Reconciled:
        found = rebalancer.reconcile()
        metrics.RECONCILIATION_SUCCESS.set_to_current_time()
        metrics.show_book(journal)
        metrics.show_positions(broker.positions())
        return found

    cycle = DailyCycle(broker.moment, predict_session, rebalance_session, reconcile)
    bus = EventBus(
        settings.state_directory,
        SOURCE,
        settings.event_subscribers,
        cycle.handlers(lambda: bus),
        token=settings.fund_api_token,
    )
    return Services(broker, store, champion, journal, rebalancer, cycle, bus)


async def _recover(parts: Services, watch: ModelWatch) -> None:
    """Go on with what a former run left, as soon as broker and data service answer; say why it does not go on."""
    while True:
        try:
            await asyncio.to_thread(_recover_once, parts, watch)
        except FundError as error:
            get_logger(__name__).warning("recovery_waits", detail=error.detail)
            await asyncio.sleep(RECOVERY_PAUSE_SECONDS)
        else:
            return


def _recover_once(parts: Services, watch: ModelWatch) -> None:
    metrics.show_history(parts.journal)
    parts.rebalancer.recover()
    metrics.show_history(parts.journal)
    metrics.show_positions(parts.broker.positions())
    watch.show(last_closed_session(parts.broker.moment()))


def _ask_broker(parts: Services) -> None:
    parts.broker.moment()
