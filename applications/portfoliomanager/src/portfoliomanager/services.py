"""The parts of the running service, as routes and events find them.

Knows what is open. Knows nothing of how it was wired (`server`) or of what a request wants.
"""

from dataclasses import dataclass
from typing import cast

from fastapi import Request

from internal.cloud_events import EventBus
from portfoliomanager.events import DailyCycle
from portfoliomanager.forecasting import Champion
from portfoliomanager.ports import Broker, DataStore, Journal
from portfoliomanager.rebalance import Rebalancer


@dataclass(frozen=True)
class Services:
    """Everything that a route may call."""

    broker: Broker
    store: DataStore
    champion: Champion
    journal: Journal
    rebalancer: Rebalancer
    cycle: DailyCycle
    bus: EventBus


def services(request: Request) -> Services:
    """The parts of the application that answers the request."""
    return cast("Services", request.app.state.services)
