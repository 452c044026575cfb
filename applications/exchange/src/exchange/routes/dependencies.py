"""What routes depend on, found on the application's state: the exchange, its settings, its publisher, its bus."""

from typing import Annotated, cast

from fastapi import Depends, Request

from exchange.configuration import Configuration
from exchange.events import Publisher
from exchange.ports import LocateRepository, WatchlistRepository
from exchange.services import Exchange
from internal.cloud_events import EventBus


async def _exchange(request: Request) -> Exchange:
    found = request.app.state.exchange
    assert isinstance(found, Exchange)  # noqa: S101 - tells the type checker what the server wired
    return found


async def _configuration(request: Request) -> Configuration:
    found = request.app.state.configuration
    assert isinstance(found, Configuration)  # noqa: S101 - as above
    return found


async def _publisher(request: Request) -> Publisher:
    found = request.app.state.publisher
    assert isinstance(found, Publisher)  # noqa: S101 - as above
    return found


async def _bus(request: Request) -> EventBus:
    found = request.app.state.bus
    assert isinstance(found, EventBus)  # noqa: S101 - as above
    return found


async def _watchlists(request: Request) -> WatchlistRepository:
    return cast("WatchlistRepository", request.app.state.watchlists)


async def _locates(request: Request) -> LocateRepository:
    return cast("LocateRepository", request.app.state.locates)


type TheLocates = Annotated[LocateRepository, Depends(_locates)]
type TheWatchlists = Annotated[WatchlistRepository, Depends(_watchlists)]
type TheExchange = Annotated[Exchange, Depends(_exchange)]
type TheConfiguration = Annotated[Configuration, Depends(_configuration)]
type ThePublisher = Annotated[Publisher, Depends(_publisher)]
type TheBus = Annotated[EventBus, Depends(_bus)]
