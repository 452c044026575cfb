"""The components of a running portfoliomanager, as routes and readiness checks use them; `server` makes them."""

from dataclasses import dataclass
from typing import Annotated, cast

import polars as pl
from fastapi import Depends, FastAPI, Request

from internal.http.datamanager_client import DatamanagerClient
from internal.lake.lease import Lease
from internal.trading.decision_records import DecisionRecords
from internal.trading.ports import Broker, MarketData, Portfolios
from internal.trading.strategy import Strategy
from portfoliomanager.account_books import AccountBooks
from portfoliomanager.decision_replays import DecisionReplays
from portfoliomanager.equal_weight import EqualWeight
from portfoliomanager.events import DailyCycle
from portfoliomanager.forecasting import Champion
from portfoliomanager.live_arming import LiveArming
from portfoliomanager.loss_watch import LossWatch
from portfoliomanager.market_clock import MarketClock
from portfoliomanager.notifications.outbox import NotificationOutbox
from portfoliomanager.operations import FundOperations
from portfoliomanager.ports import FundJournal, Peer, SchedulerPeer, UpdateFeed
from portfoliomanager.remembered import Remembered
from portfoliomanager.research_library import ResearchLibrary
from portfoliomanager.telegram.polling import TelegramPolling


@dataclass(frozen=True)
class Services:
    """One portfoliomanager, for the lifetime of the process."""

    broker: Broker
    clock: MarketClock
    data: DatamanagerClient
    market_data: MarketData
    champion: Champion
    journal: FundJournal
    books: AccountBooks
    lease: Lease
    strategy: Strategy
    operations: FundOperations
    cycle: DailyCycle
    notifications: NotificationOutbox
    updates: UpdateFeed | None
    arming: LiveArming
    telegram: TelegramPolling | None
    equal_weight: EqualWeight
    recent_market: EqualWeight
    details: Remembered[pl.DataFrame]
    portfolios: Portfolios
    losses: LossWatch
    datamanager: Peer
    scheduler: SchedulerPeer | None
    records: DecisionRecords
    replays: DecisionReplays
    research: ResearchLibrary | None


def services_of(application: FastAPI) -> Services:
    """The services of an application."""
    return cast("Services", application.state.services)


def get_services(request: Request) -> Services:
    """The services of the application that received the request; a FastAPI dependency."""
    return services_of(cast("FastAPI", request.app))


RequestServices = Annotated[Services, Depends(get_services)]
