"""The components of a running scheduler, as routes and readiness checks use them; `server` makes them."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, FastAPI, Request

from internal.cloud_events import EventBus
from internal.lake.lease import Lease
from scheduler.loop import SchedulerLoop
from scheduler.ports import FundServices, ScheduleStore
from scheduler.retraining import Retraining
from scheduler.timetable import Timetable


@dataclass(frozen=True)
class Services:
    """One scheduler, for the lifetime of the process."""

    timetable: Timetable
    fund: FundServices
    store: ScheduleStore
    lease: Lease
    bus: EventBus
    retraining: Retraining
    loop: SchedulerLoop


def services_of(application: FastAPI) -> Services:
    """The services of an application."""
    return cast("Services", application.state.services)


def get_services(request: Request) -> Services:
    """The services of the application that received the request; a FastAPI dependency."""
    return services_of(cast("FastAPI", request.app))


RequestServices = Annotated[Services, Depends(get_services)]
