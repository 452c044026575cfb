"""The parts of a running datamanager, as routes and event handlers find them.

Knows which parts there are. Knows nothing of how they are made: `datamanager.server` wires them.
"""

from dataclasses import dataclass

from fastapi import Request

from datamanager.details import EquityDetails
from datamanager.ingestion import Ingestion
from internal.cloud_events import EventBus
from internal.lake.store import Lake


@dataclass(frozen=True)
class Services:
    """One datamanager, open from start to end of the process."""

    lake: Lake
    ingestion: Ingestion
    details: EquityDetails
    bus: EventBus


def services(request: Request) -> Services:
    """The services of the application that got the request."""
    found: Services = request.app.state.services
    return found
