"""Portfoliomanager as a service: makes its components, starts and stops them, and assembles its routes.

Run it with `python -m internal.http.run portfoliomanager.server:create_application --port PORT`.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from http import HTTPStatus

from fastapi import FastAPI

from internal.errors import FundError
from internal.http.background import BackgroundTasks
from internal.http.datamanager_client import DatamanagerClient
from internal.http.service import create_service
from internal.lake.lease import Lease
from internal.lake.objects import Objects
from internal.lake.store import Lake
from internal.model_registry import open_registry
from internal.modes import Mode, mode_of
from internal.pages import static_routes
from internal.telemetry import configure_logging, get_logger
from internal.trading.capital import Capital
from internal.trading.capital_broker import CapitalBroker
from internal.trading.ports import TradingPorts
from internal.trading.rebalancing import Rebalancer
from portfoliomanager import metrics
from portfoliomanager.account_books import AccountBooks
from portfoliomanager.adapters.alpaca_broker import AlpacaBroker
from portfoliomanager.adapters.ended_sessions import StoredEndedSessions
from portfoliomanager.adapters.lake_activities import LakeActivities
from portfoliomanager.adapters.lake_armings import LakeArmings
from portfoliomanager.adapters.lake_decisions import LakeDecisions
from portfoliomanager.adapters.lake_journal import LakeJournal
from portfoliomanager.adapters.market_data import DatamanagerMarketData
from portfoliomanager.adapters.peer_service import PeerService
from portfoliomanager.adapters.stored_portfolios import StoredPortfolios
from portfoliomanager.adapters.trade_updates import TradeUpdates
from portfoliomanager.configuration import Configuration
from portfoliomanager.decision_replays import DecisionReplays
from portfoliomanager.equal_weight import EqualWeight, load_closes
from portfoliomanager.events import DailyCycle
from portfoliomanager.fill_days import read_opens
from portfoliomanager.forecasting import Champion
from portfoliomanager.live_arming import LiveArming, find_evidence
from portfoliomanager.loss_watch import LossWatch
from portfoliomanager.market_clock import MarketClock
from portfoliomanager.model_watch import ModelWatch
from portfoliomanager.notifications.announcer import Announcer
from portfoliomanager.notifications.outbox import NotificationOutbox
from portfoliomanager.operations import FundOperations
from portfoliomanager.pages.problem import show_problem
from portfoliomanager.ports import UpdateFeed
from portfoliomanager.remembered import Remembered
from portfoliomanager.research_library import ResearchLibrary
from portfoliomanager.routes import (
    arming,
    book_page,
    clock,
    data_page,
    decisions_page,
    events_page,
    flatten,
    forecasts_page,
    foreign,
    fund_page,
    model_page,
    orders,
    performance,
    portfolios,
    predictions,
    reconciliations,
    reports,
    research_pages,
    sign_in,
    strategy,
    ticker_page,
    trading_state,
    trading_state_form,
)
from portfoliomanager.routes import books as books_routes
from portfoliomanager.routes import notifications as notification_routes
from portfoliomanager.services import Services, services_of
from portfoliomanager.sign_in_limit import SignInLimit
from portfoliomanager.telegram.answers import TelegramAnswers
from portfoliomanager.telegram.polling import TelegramPolling
from portfoliomanager.undecided_session import UndecidedSessionFile
from portfoliomanager.waiting_sessions import WaitingSessions

ROUTES = (
    *(clock, predictions, portfolios, orders, performance, books_routes, reconciliations, strategy),
    *(trading_state, flatten, arming, notification_routes, foreign, reports, static_routes),
    *(fund_page, book_page, decisions_page, sign_in, trading_state_form, data_page, events_page, model_page),
    *(forecasts_page, ticker_page, research_pages),
)
RECOVERY_PAUSE_SECONDS = 5.0  # between attempts while broker or data service cannot be reached
OPEN_ORDERS_PAUSE_SECONDS = 60.0  # between looks at runs with open orders
LOSSES_PAUSE_SECONDS = 300.0  # between looks at what the account is worth
UPDATES_PAUSE_SECONDS = 1.0  # between an update of the broker's stream and the reconciliation
DETAILS_SECONDS = 60.0  # that pages remember names and sectors: a frame of 8,000 rows costs 0.05 s a page
PERSON_PAUSE_SECONDS = 60.0  # while a person has to act; an attempt is some 30 requests, the broker takes 200 a minute


def create_application(configuration: Configuration | None = None, mode: Mode | None = None) -> FastAPI:
    """Create the service; without a configuration it is read from the environment.

    mode: What is at stake; by default what the broker's address says. Tests play a live account on an exchange.

    Raises:
        ConfigurationError: A setting is missing or wrong.
    """
    settings = configuration or Configuration()
    configure_logging("portfoliomanager", settings.log_format, settings.secrets())
    services = make_services(settings, mode or mode_of(settings.broker_url()))
    application = create_service(
        "portfoliomanager",
        "Forecasts, builds the portfolio, sends orders and reports.",
        run_components,
        token=settings.fund_api_token,
        reader_paths={trading_state.router.prefix},
        problem_page=show_problem,
        ended_sessions=StoredEndedSessions(Objects(settings.data_bucket, settings.storage_options())),
        drain_seconds=settings.drain_seconds,
        readiness={
            "lease": check_lease,
            "broker": check_broker,
            "datamanager": check_datamanager,
            **({"model": check_model} if services.strategy.needs.forecasts else {}),
            "events": services.cycle.bus.check,
            "background": check_background,
        },
    )
    application.state.services, application.state.sign_in_limit = services, SignInLimit()
    for routes in ROUTES:
        application.include_router(routes.router)
    application.include_router(services.cycle.bus.router())
    return application


def make_services(settings: Configuration, mode: Mode) -> Services:
    """Make every component; nothing is opened yet."""
    address = settings.registry_address()
    registry = open_registry(
        address, settings.storage_options_for(address), settings.state_directory / "registry-copies"
    )
    data, champion = DatamanagerClient(settings.datamanager_url, settings.fund_api_token), Champion(registry)
    objects = Objects(settings.data_bucket, settings.storage_options())
    lease = Lease(objects, "trader", settings.state_directory, settings.lease_seconds)
    metrics.watch_lease(lease)
    lake = Lake(settings.data_bucket, settings.storage_options())
    activities = LakeActivities(lake)
    broker = AlpacaBroker(
        settings.alpaca_api_key_id.get_secret_value(),
        settings.alpaca_api_secret.get_secret_value(),
        settings.broker_url(),
        load_activities=activities.read,
    )
    updates = _make_updates(settings)
    journal = LakeJournal(lake)
    metrics.watch_trading_state(journal)
    capital = settings.fund_capital()
    market_data = DatamanagerMarketData(data)
    books = AccountBooks(broker, broker.activities, activities, journal, market_data, others=capital is not None)
    records = LakeDecisions(lake)
    whole = TradingPorts(broker, market_data, StoredPortfolios(data), journal, lease, time.sleep, records=records)
    ports = _limit_capital(whole, capital)
    decides = settings.load_strategy()
    metrics.show_mode(mode)
    notifications = NotificationOutbox(settings.state_directory, settings.notification_targets(), mode)
    announcer = Announcer(
        *(notifications, journal, books, data.check_data, partial(read_opens, data)), settings.state_directory
    )
    limits = settings.risk_limits(settings.name_filter())
    losses = LossWatch(journal, books, limits, notifications)
    armings = LakeArmings(lake)
    live = LiveArming(
        *(mode, ports.broker, armings, decides, settings.capital, limits), partial(find_evidence, registry, decides)
    )
    rebalancer = Rebalancer(replace(ports, gate=live.gate), decides, limits, losses.check)
    watch = ModelWatch(registry, data)
    undecided = UndecidedSessionFile(settings.state_directory)
    operations = FundOperations(ports.broker, data, champion, watch, journal, books, rebalancer, announcer, undecided)
    cycle = DailyCycle(operations, settings.state_directory, settings.event_subscribers, settings.fund_api_token)
    clock = MarketClock(ports.broker.moment, mode)
    clients = ports.broker, clock, data, ports.data
    telegram = _make_telegram(settings, TelegramAnswers(journal, mode, operations.tighten_state), operations, lease)
    running = operations, cycle, notifications, updates, live, telegram
    token, address = settings.fund_api_token, settings.scheduler_url
    scheduler = PeerService("scheduler", address, token) if address else None
    peers = PeerService("datamanager", settings.datamanager_url, token), scheduler
    replays = DecisionReplays(journal, records, partial(DatamanagerMarketData, data), decides, limits)
    folder = settings.research_folder()
    research = None if folder is None else ResearchLibrary(folder)
    benchmarks = EqualWeight(partial(load_closes, data)), EqualWeight(partial(load_closes, data))
    details = Remembered(data.details, DETAILS_SECONDS)
    shown = *benchmarks, details, ports.portfolios, losses, *peers, records, replays, research
    return Services(*clients, champion, journal, books, lease, decides, *running, *shown)


def _make_telegram(
    settings: Configuration, answers: TelegramAnswers, operations: FundOperations, lease: Lease
) -> TelegramPolling | None:
    """What answers the owner in Telegram, where chats are listed."""
    api = settings.telegram_bot()
    if api is None:
        return None
    return TelegramPolling(
        *(api, settings.telegram_chat_ids(), answers),
        go_on=operations.go_on,
        may_act=lease.held,
        state_directory=settings.state_directory,
    )


def _make_updates(settings: Configuration) -> TradeUpdates | None:
    """The broker's stream, unless it is switched off."""
    if not settings.trade_updates:
        return None
    updates = TradeUpdates(
        settings.alpaca_api_key_id.get_secret_value(),
        settings.alpaca_api_secret.get_secret_value(),
        settings.broker_url(),
    )
    metrics.watch_updates(updates)
    return updates


def _limit_capital(ports: TradingPorts, capital: Capital | None) -> TradingPorts:
    """The ports on the part of the account that the fund may use."""
    return ports if capital is None else replace(ports, broker=CapitalBroker(ports, capital))


@asynccontextmanager
async def run_components(application: FastAPI) -> AsyncGenerator[None]:
    """Hold the lease, run the event bus, and go on with what a former process left, until the application ends."""
    services = services_of(application)
    with services.data, services.lease:
        background = application.state.background = BackgroundTasks(_list_background_work(services))
        try:
            async with services.notifications, services.cycle.bus, background:
                yield
        finally:
            services.champion.close()


async def check_background(application: FastAPI) -> None:
    """Readiness check: no background task has failed."""
    await application.state.background.check()


async def check_lease(application: FastAPI) -> None:
    """Readiness check: this process may trade."""
    await asyncio.to_thread(services_of(application).lease.require)


async def check_broker(application: FastAPI) -> None:
    """Readiness check: the broker answers."""
    await asyncio.to_thread(services_of(application).broker.moment)


async def check_datamanager(application: FastAPI) -> None:
    """Readiness check: the data service answers."""
    await asyncio.to_thread(services_of(application).data.check_health)


async def check_model(application: FastAPI) -> None:
    """Readiness check: the registry has a champion."""
    await asyncio.to_thread(services_of(application).champion.require)


async def _recover(operations: FundOperations) -> None:
    """Recover as soon as broker and data service answer; log why it does not go on."""
    while True:
        try:
            await asyncio.to_thread(operations.recover)
        except FundError as error:
            get_logger(__name__).warning("recovery_waits", detail=error.detail)
            needs_person = error.status < HTTPStatus.INTERNAL_SERVER_ERROR
            await asyncio.sleep(PERSON_PAUSE_SECONDS if needs_person else RECOVERY_PAUSE_SECONDS)
        else:
            return


async def _follow_open_orders(services: Services) -> None:
    """Record fills of open orders, and send openings that waited for them, also where no event or update says so."""
    while True:
        await asyncio.sleep(OPEN_ORDERS_PAUSE_SECONDS)
        await _hold_lease_and(services.operations.follow_open_orders, services)


async def _follow_losses(services: Services) -> None:
    """Look at the account's value between reconciliations: a loss of the day is not to wait for the next decision."""
    while True:
        await asyncio.sleep(LOSSES_PAUSE_SECONDS)
        look = partial(services.losses.look, services.broker, services.operations.reconcile)
        await _hold_lease_and(look, services)


def _list_background_work(services: Services) -> dict[str, Callable[[], Awaitable[object]]]:
    """What runs beside requests and events, by name; the broker's stream only where it is followed."""
    works: dict[str, Callable[[], Awaitable[object]]] = {
        "recovery": partial(_recover, services.operations),
        "open orders": partial(_follow_open_orders, services),
        "losses": partial(_follow_losses, services),
        "waiting session": WaitingSessions(services.cycle, services.operations, services.lease).run,
    }
    if (updates := services.updates) is not None:
        works |= {"order updates": updates.run, "recording of updates": partial(_record_updates, services, updates)}
    return works | ({} if services.telegram is None else {"telegram": services.telegram.run})


async def _record_updates(services: Services, updates: UpdateFeed) -> None:
    """Reconcile when the broker's stream says that something has happened to an order."""
    while True:
        await updates.wait()
        await asyncio.sleep(UPDATES_PAUSE_SECONDS)  # the fills of an open come together
        await _hold_lease_and(services.operations.reconcile, services)


async def _hold_lease_and(work: Callable[[], object], services: Services) -> None:
    """Do the work if this process may trade; what fails is logged, the next attempt is as good."""
    try:
        if services.lease.held():
            await asyncio.to_thread(work)
    except FundError as error:
        get_logger(__name__).warning("open_orders_not_followed", detail=error.detail)
