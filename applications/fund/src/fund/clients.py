"""The services of a fund, as the command line calls them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

import httpx
import polars as pl
from pydantic import SecretStr

from fund.addresses import Addresses
from fund.answers import (
    CurrentPortfolio,
    DecidingStrategy,
    ExchangeState,
    ForecastSummary,
    PendingEvent,
    Performance,
    Rebalance,
)
from fund.folder import FundFolder
from fund.service_client import ServiceClient
from fund.services import Service
from internal.errors import NotFoundError
from internal.http.client import read_frame
from internal.http.datamanager_client import DatamanagerClient
from internal.http.roles import Role, derive_reader_token


@cache
def _loopback_client() -> httpx.Client:
    """The HTTP client of every request to datamanager: no proxy, no connection kept open.

    There is one for all requests because a new client reads every certificate authority, which takes 20 ms of processor
    time.
    """
    return httpx.Client(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))


@dataclass(frozen=True)
class Clients:
    """The services; in the Swarm there may be no scheduler."""

    exchange: ServiceClient
    datamanager: ServiceClient
    portfoliomanager: ServiceClient
    scheduler: ServiceClient | None = None

    def of(self, service: Service) -> ServiceClient:
        """The client of one service."""
        clients = (self.exchange, self.datamanager, self.portfoliomanager, self.scheduler)
        return {client.name: client for client in clients if client is not None}[service]

    @property
    def data(self) -> DatamanagerClient:
        """The typed client of datamanager."""
        service = self.datamanager
        return DatamanagerClient(service.url, SecretStr(service.token), http=_loopback_client(), reader=service.reader)

    def exchange_state(self) -> ExchangeState:
        """The exchange's clock and market."""
        return ExchangeState.model_validate(self.exchange.get("/control/state"))

    def move_clock(self, to: str) -> None:
        """Move the exchange's clock to `next_open` or `next_close`."""
        self.exchange.post("/control/clock", {"to": to})

    def forecast(self, day: date) -> ForecastSummary:
        """Forecast a session."""
        return ForecastSummary.model_validate(self.portfoliomanager.post("/predictions", {"date": day.isoformat()}))

    def rebalance(self, day: date) -> Rebalance:
        """Build and send the portfolio of a session; the stored answer when it was built before."""
        return Rebalance.model_validate(self.portfoliomanager.post("/portfolios", {"date": day.isoformat()}))

    def strategy(self) -> DecidingStrategy:
        """The strategy that decides."""
        return DecidingStrategy.model_validate(self.portfoliomanager.get("/strategy"))

    def has_portfolio(self, day: date) -> bool:
        """Whether a portfolio was stored for that session."""
        return not self.data.portfolios(day, day).is_empty()

    def current_portfolio(self) -> CurrentPortfolio | None:
        """The current portfolio, None before the first one is built."""
        try:
            return CurrentPortfolio.model_validate(self.portfoliomanager.get("/portfolios/current"))
        except NotFoundError:
            return None

    def orders(self) -> pl.DataFrame:
        """Every order of the journal."""
        return read_frame(self.portfoliomanager.read("/orders"))

    def performance(self) -> Performance:
        """Net asset value over time, return, drawdown and cost."""
        return Performance.model_validate(self.portfoliomanager.get("/performance"))


def connect(folder: FundFolder, addresses: Addresses, role: Role = Role.OWNER) -> Clients:
    """The clients of a fund's services on this machine, with the owner's token or a reader's."""
    owner = folder.credentials().fund_api_token
    token = owner if role is Role.OWNER else derive_reader_token(owner)
    return Clients(*(ServiceClient(service, addresses.url(service), token) for service in Service))


def parked_events(clients: Clients, services: Sequence[Service]) -> list[PendingEvent]:
    """Events that one of the services has given up, the exchange's aside: a person has to look."""
    return [
        event
        for service in (clients.of(one) for one in services if one is not Service.EXCHANGE)
        for rows in service.get("/events").values()
        for event in (PendingEvent(service=service.name, **row) for row in rows)
        if event.state == "parked"
    ]


def unfinished_events(clients: Clients) -> list[PendingEvent]:
    """Events that some service has still to deliver or to handle.

    The services are polled in the direction of the data flow: an event is in the next inbox before it leaves an outbox,
    so one round that finds nothing proves that the whole cycle is done.
    """
    sources = (
        (clients.exchange, "/control/events"),
        (clients.datamanager, "/events"),
        (clients.portfoliomanager, "/events"),
    )
    addresses = {service.events for service, _ in sources}
    events = [
        PendingEvent(service=service.name, **row)
        for service, path in sources
        for rows in service.get(path).values()
        for row in rows
    ]
    return [
        event
        for event in events
        if event.state == "pending" and (event.subscriber is None or event.subscriber in addresses)
    ]
