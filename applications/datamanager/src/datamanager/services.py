"""The components of a running datamanager, as routes and readiness checks use them; `datamanager.server` makes them."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, FastAPI, Request

from datamanager.cross_check import CrossCheck
from datamanager.details import EquityDetails
from datamanager.events import SessionEvents
from datamanager.freshness import FreshnessMonitor
from datamanager.fundamentals import Fundamentals
from datamanager.ingestion import Ingestion
from datamanager.ports import CompanyData, MarketData
from datamanager.progress import CollectionProgress
from datamanager.query_process import QueryProcesses
from datamanager.readiness import VendorReadiness
from internal.lake.store import Lake


@dataclass(frozen=True)
class Services:
    """One datamanager, for the lifetime of the process."""

    lake: Lake
    market_data: MarketData
    ingestion: Ingestion
    cross_check: CrossCheck
    company_data: CompanyData
    progress: CollectionProgress
    details: EquityDetails
    fundamentals: Fundamentals
    events: SessionEvents
    freshness: FreshnessMonitor
    vendor_readiness: VendorReadiness
    queries: QueryProcesses


def services_of(application: FastAPI) -> Services:
    """The services of an application."""
    return cast("Services", application.state.services)


def get_services(request: Request) -> Services:
    """The services of the application that received the request; a FastAPI dependency."""
    return services_of(cast("FastAPI", request.app))


RequestServices = Annotated[Services, Depends(get_services)]
