"""Bars over HTTP: collect them, watch a collection, read them."""

from datetime import date
from typing import Annotated, Self

from fastapi import APIRouter, Body, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from datamanager import queries
from datamanager.events import announce
from datamanager.ingestion import Collected
from datamanager.periods import Period
from datamanager.routes.parameters import ColumnList, RequiredPeriod, Tickers, comma_separated
from datamanager.services import Services, services
from internal.http.frames import FRAME_RESPONSES, frame_response, negotiate

router = APIRouter(prefix="/equity-bars", tags=["equity bars"])
COLLECT_EXAMPLES = {
    "one session": {"value": {"date": "2024-12-31"}},
    "a backfill": {"value": {"start_date": "2023-01-03", "end_date": "2024-12-31"}},
    "once more": {"value": {"date": "2024-12-31", "force": True}},
}


class CollectRequest(BaseModel):
    """One session, or a range of days whose sessions are wanted."""

    model_config = ConfigDict(extra="forbid")
    day: date | None = Field(None, alias="date", description="One session of XNYS")
    start_date: date | None = Field(None, description="First day of a range")
    end_date: date | None = Field(None, description="Last day of a range, included; at most ten years later")
    force: bool = Field(default=False, description="Fetch sessions again that are complete")

    @model_validator(mode="after")
    def _is_day_or_range(self) -> Self:
        """One of the two forms, whole."""
        ends = (self.start_date, self.end_date)
        if (self.day is None) == (ends == (None, None)) or (self.day is None and None in ends):
            raise ValueError('give {"date": D}, or {"start_date": D, "end_date": D}')
        return self


class SessionOutcome(BaseModel):
    """What became of one session."""

    date: date
    status: str = Field(description="collected now, or present before")
    rows: int
    quarantined: int


class CollectResponse(BaseModel):
    """What became of every session asked for."""

    sessions: list[SessionOutcome]
    rows: int
    quarantined: int
    bars_version: int


class IngestionProgress(BaseModel):
    """How far the running, or else the last, collection is."""

    sessions_total: int
    sessions_fetched: int = Field(description="fetched from the vendor, or present before")
    sessions_done: int = Field(description="committed to the lake")
    running: bool


@router.post("", summary="Collect sessions from the vendor")
async def collect_equity_bars(
    body: Annotated[CollectRequest, Body(openapi_examples=COLLECT_EXAMPLES)],
    parts: Annotated[Services, Depends(services)],
) -> CollectResponse:
    """Fetch bars, splits and dividends of the sessions that the lake does not hold, and store them.

    One collection at a time: a second one is answered 409. The latest closed session, asked for by `date`, is
    announced as an event, as if the exchange had announced its close; older sessions are history and are not.
    """
    if body.day is None:
        return _answer(await parts.ingestion.collect_period(_period(body), force=body.force))
    collected = await parts.ingestion.collect_session(body.day, force=body.force)
    if body.day == collected.last_closed:
        await announce(parts.bus, body.day, collected)
    return _answer(collected)


@router.get("/ingestion", summary="How far the collection is")
async def show_ingestion(parts: Annotated[Services, Depends(services)]) -> IngestionProgress:
    """Progress of the running collection, or of the last one of this process."""
    progress = parts.ingestion.progress
    return IngestionProgress(
        sessions_total=progress.sessions_total,
        sessions_fetched=progress.sessions_fetched,
        sessions_done=progress.sessions_done,
        running=progress.running,
    )


@router.get("", summary="Bars of a range", responses=FRAME_RESPONSES, response_class=Response)
def read_equity_bars(  # noqa: PLR0913, PLR0917 - one parameter of the query each
    request: Request,
    parts: Annotated[Services, Depends(services)],
    period: RequiredPeriod,
    tickers: Tickers,
    columns: ColumnList = None,
    adjusted_as_of: Annotated[
        date | None, Query(description="Adjust for splits and dividends known by this day; without it, as traded")
    ] = None,
) -> Response:
    """Bars ordered by date and ticker, with the version of the table they were read from in `X-Bars-Version`."""
    negotiate(request.headers.get("accept"))
    query = queries.BarsQuery(period, tickers, comma_separated("columns", columns), adjusted_as_of)
    frame, version = queries.bars(parts.lake, query)
    return frame_response(frame, request, bars_version=version)


def _period(body: CollectRequest) -> Period:
    """The range of a body without a date, which the model has made sure of."""
    return Period.checked(body.start_date or date.max, body.end_date or date.max)


def _answer(collected: Collected) -> CollectResponse:
    return CollectResponse(
        sessions=[SessionOutcome.model_validate(row) for row in collected.sessions.iter_rows(named=True)],
        rows=collected.sessions.get_column("rows").sum(),
        quarantined=collected.sessions.get_column("quarantined").sum(),
        bars_version=collected.bars_version,
    )
