"""Assembles the exchange once, in the open: settings, market, state, events, routes.

Run it with `python -m internal.http.run exchange.server:create_application --port PORT`.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import polars as pl
from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from starlette.middleware import Middleware

from exchange.adapters.database import Database
from exchange.adapters.fault_repository import SqliteFaultRepository
from exchange.adapters.locate_repository import SqliteLocateRepository
from exchange.adapters.played_bars import PlayedBars
from exchange.adapters.sqlite_repository import SqliteRepository
from exchange.adapters.watchlist_repository import SqliteWatchlistRepository
from exchange.bodies.control import state_of
from exchange.company_index import CompanyIndex
from exchange.configuration import Configuration
from exchange.events import SOURCE, Publisher
from exchange.fault_injection import FaultInjection
from exchange.request_limit import RequestLimit
from exchange.routes import (
    alpaca_account,
    alpaca_activities,
    alpaca_announcements,
    alpaca_corporate_actions,
    alpaca_data,
    alpaca_locates,
    alpaca_market,
    alpaca_orders,
    alpaca_portfolio,
    alpaca_positions,
    alpaca_stream,
    alpaca_watchlists,
    control,
    edgar,
    polygon,
    polygon_actions,
    polygon_market,
    reference,
    unknown_paths,
)
from exchange.routes.edgar_access import RequestRate
from exchange.services import Exchange, last_opened_session, open_exchange
from internal.bar_files.replay import Replay, load_replay
from internal.cloud_events import EventBus
from internal.errors import ConfigurationError, FundError
from internal.http.service import create_service
from internal.telemetry import configure_logging, get_logger
from internal.venue.market.protocol import MarketData
from internal.venue.market.simulated import OPENING_DAY, SimulatedMarket

DESCRIPTION = (
    "A simulated exchange. Polygon's and Alpaca's market data, Alpaca's trading and the SEC's EDGAR at the root, for "
    "their clients; `/control` moves the clock and injects faults."
)
ROUTERS = (
    polygon.router,
    polygon_market.router,  # before `reference`: `tickers/types` is no ticker
    reference.router,
    polygon_actions.router,
    alpaca_account.router,
    alpaca_activities.router,
    alpaca_announcements.router,
    alpaca_locates.router,
    alpaca_orders.router,
    alpaca_portfolio.router,
    alpaca_positions.router,
    alpaca_stream.router,
    alpaca_watchlists.router,
    alpaca_market.router,
    edgar.router,
    alpaca_data.router,
    alpaca_corporate_actions.router,
    control.router,
    unknown_paths.router,  # last: it takes what no other route has
)


def create_application(configuration: Configuration | None = None) -> FastAPI:
    """The exchange as an application; the environment configures it unless a configuration is given.

    Raises ConfigurationError for settings that are missing or wrong. What the settings point at (a bars file, the
    stored state) is opened at start-up: what is wrong there ends the process with a sentence on standard error.
    """
    settings = configuration or Configuration()  # pyright: ignore[reportCallIssue]  # read from the environment
    lifespan = _Lifespan(settings)
    application = create_service(
        "exchange",
        DESCRIPTION,
        lifespan.run,
        token=None,
        readiness={"state": _check_state, "events": _check_events},
        drain_seconds=lifespan.configuration.drain_seconds,
    )
    application.state.has_token = bool(
        lifespan.configuration.fund_api_token.get_secret_value()
    )  # `/control` asks for it
    application.user_middleware.append(Middleware(FaultInjection))
    for router in ROUTERS:
        application.include_router(router)
    return application


@dataclass(frozen=True)
class _Lifespan:
    """Opens, wires, yields, closes."""

    configuration: Configuration

    @asynccontextmanager
    async def run(self, application: FastAPI) -> AsyncGenerator[None]:
        configuration = self.configuration
        configure_logging("exchange", configuration.log_format, secrets=configuration.secrets())
        try:
            market, bars = await run_in_threadpool(build_market, configuration)
            database = Database(configuration.state_directory)
            exchange = await run_in_threadpool(open_stored, market, bars, database, configuration)
        except FundError as error:
            sys.stderr.write(f"exchange: {error.detail}\n")
            raise
        subscribers, token = configuration.event_subscribers, configuration.fund_api_token
        try:
            async with EventBus(configuration.state_directory, SOURCE, subscribers, {}, token=token) as bus:
                publisher = Publisher(exchange.repository, bus)
                application.state.configuration = configuration
                application.state.edgar_rate, application.state.company_index = RequestRate(), CompanyIndex(market)
                application.state.exchange = exchange
                application.state.locates = SqliteLocateRepository(database)
                application.state.watchlists = SqliteWatchlistRepository(database)
                exchange.updates.attach(asyncio.get_running_loop())
                application.state.request_limit = RequestLimit(configuration.exchange_requests_per_minute)
                application.state.publisher = publisher
                application.state.bus = bus
                await publisher.publish_recorded()
                get_logger(__name__).info("exchange_opened", **state_of(exchange).model_dump())
                yield
        finally:
            database.close()


def open_stored(
    market: MarketData, bars: pl.DataFrame | None, database: Database, configuration: Configuration
) -> Exchange:
    """The exchange on the stored state; `bars` are those that the market replays, None of a simulated one.

    Raises ConfigurationError when the stored state belongs to another market, or to bars that differ from these.
    """
    repository, faults = SqliteRepository(database), SqliteFaultRepository(database)
    stored = repository.load()
    if bars is None:
        return open_exchange(market, repository, faults, configuration.exchange_cash)
    played = PlayedBars.in_directory(configuration.state_directory)
    if stored is None:
        played.keep(bars)  # before the account exists: an account without the bars that it plays could not be continued
        return open_exchange(market, repository, faults, configuration.exchange_cash)
    if played.exist():
        played.require_same(bars, last_opened_session(stored.moment))
    exchange = open_exchange(market, repository, faults, configuration.exchange_cash, continues=played.exist())
    played.keep(bars)
    return exchange


def build_market(configuration: Configuration) -> tuple[MarketData, pl.DataFrame | None]:
    """The market that the settings ask for, and the bars that it replays. ConfigurationError says what to do."""
    bars_file, details_file = configuration.exchange_bars_file, configuration.exchange_details_file
    if bars_file is not None:
        if configuration.exchange_regime_date is not None:
            raise ConfigurationError(
                "EXCHANGE_REGIME_DATE is for the simulated market: unset EXCHANGE_BARS_FILE, or it"
            )
        replay = load_replay(bars_file, details_file, configuration.exchange_start_date)
        log_reports(replay)
        return replay.market, replay.bars.bars
    if details_file is not None:
        raise ConfigurationError("EXCHANGE_DETAILS_FILE belongs to EXCHANGE_BARS_FILE: set both, or neither")
    return make_simulated_market(configuration), None


def log_reports(replay: Replay) -> None:
    """Log what was understood of each file."""
    for report in replay.reports:
        get_logger(__name__).info("file_read", file=report.name, understood=report.sentences())


def make_simulated_market(configuration: Configuration) -> SimulatedMarket:
    """The simulated market of the settings."""
    return SimulatedMarket(
        seed=configuration.exchange_seed,
        ticker_count=configuration.exchange_ticker_count,
        signal=configuration.exchange_signal,
        opening_day=configuration.exchange_start_date or OPENING_DAY,
        events=configuration.exchange_events,
        regime=configuration.volatility_regime,
    )


async def _check_state(application: FastAPI) -> None:
    """Raises when the stored state cannot be read."""
    exchange: Exchange = application.state.exchange
    await run_in_threadpool(exchange.repository.load)


async def _check_events(application: FastAPI) -> None:
    """Raises while the event bus is not running."""
    bus: EventBus = application.state.bus
    await bus.check(application)
