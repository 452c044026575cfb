"""The schedule over HTTP: what ran, what came of it, and what is due next."""

from typing import Annotated

from fastapi import APIRouter, Query

from scheduler.planning import list_next_runs
from scheduler.responses import NextRunResponse, RunResponse, ScheduleResponse
from scheduler.runs import RunKind
from scheduler.services import RequestServices

router = APIRouter(prefix="/schedule", tags=["schedule"])


@router.get("", summary="Each run and its outcome, and what is due next")
def get_schedule(services: RequestServices, limit: Annotated[int, Query(ge=0, le=1000)] = 20) -> ScheduleResponse:
    """From the stored schedule, so that a scheduler on standby answers the same."""
    time, schedule = services.loop.time, services.store.load()
    moment = time.moment if time else None
    last = [run for kind in RunKind if (run := schedule.last(kind)) is not None]
    newest = list(reversed(schedule.runs))[:limit]
    return ScheduleResponse(
        moment=moment,
        mode=time.mode if time else None,
        acts=services.lease.held(),
        problem=services.loop.problem,
        last=[RunResponse.of(run, moment) for run in last],
        next=[
            NextRunResponse(kind=kind, session=session, due_at=due_at)
            for kind, session, due_at in list_next_runs(schedule, services.timetable)
        ],
        runs=[RunResponse.of(run, moment) for run in newest],
    )
