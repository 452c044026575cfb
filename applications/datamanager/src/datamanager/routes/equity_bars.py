"""Equity bars over HTTP: ingest them, show the progress of an ingestion, read them."""

from datetime import date
from typing import Annotated, Self

from fastapi import APIRouter, Body, Query, Request, Response
from fastapi.openapi.models import Example
from pydantic import BaseModel, ConfigDict, Field, model_validator

from datamanager.bar_adjustment import find_adjustment
from datamanager.bar_queries import BarsQuery, plan_bars, read_bars
from datamanager.bar_stream import SECURITY_ID, find_changed_names, find_files, stream_frames
from datamanager.ingestion import ImportResult, IngestionResult
from datamanager.periods import Period
from datamanager.responses import BarImportResponse, IngestionProgressResponse, IngestionResponse, SessionOutcome
from datamanager.routes.parameters import ColumnList, KnownAt, RequiredPeriod, Tickers, split_at_commas
from datamanager.routes.table_body import read_table
from datamanager.services import RequestServices
from internal.bar_files.bars import read_bars_table
from internal.http.bar_parts import FILE_NAMES, make_bar_parts
from internal.http.frame_documentation import document_request_frame, document_response_frame
from internal.http.frames import ARROW, CSV, JSON, PARQUET, frame_response, negotiate
from internal.http.parts import PARTS
from internal.http.streams import parts_response, stream_response
from internal.modes import is_loopback
from internal.schemas import equity_bars

router = APIRouter(prefix="/equity-bars", tags=["equity bars"])
INGESTION_EXAMPLES = {
    "one session": Example(value={"date": "2024-12-31"}),
    "a backfill": Example(value={"start_date": "2023-01-03", "end_date": "2024-12-31"}),
    "one session again": Example(value={"date": "2024-12-31", "force": True}),
}


BAR_EXAMPLE = {
    "ticker": "AAPL",
    "date": "2024-12-31",
    "open": 252.44,
    "high": 253.28,
    "low": 249.43,
    "close": 250.42,
    "volume": 39_480_700,
}
Replace = Annotated[bool, Query(description="Replace sessions that the lake holds with other rows")]


class IngestionRequest(BaseModel):
    """One session, or a range of days whose sessions are to be ingested."""

    model_config = ConfigDict(extra="forbid")
    day: date | None = Field(None, alias="date", description="One session of XNYS")
    start_date: date | None = Field(None, description="First day of a range")
    end_date: date | None = Field(None, description="Last day of a range, included; at most ten years later")
    force: bool = Field(default=False, description="Fetch sessions that are in the lake already again")

    @model_validator(mode="after")
    def _require_day_or_range(self) -> Self:
        """Exactly one of the two forms, complete."""
        ends = (self.start_date, self.end_date)
        if (self.day is None) == (ends == (None, None)) or (self.day is None and None in ends):
            raise ValueError('give {"date": D}, or {"start_date": D, "end_date": D}')
        return self

    def period(self) -> Period:
        """The range of a request without a date."""
        return Period.between(self.start_date or date.max, self.end_date or date.max)


@router.post("", summary="Ingest sessions from the vendor", response_model_exclude_none=True)
async def post_equity_bars(
    body: Annotated[IngestionRequest, Body(openapi_examples=INGESTION_EXAMPLES)], services: RequestServices
) -> IngestionResponse:
    """Fetch bars, splits and dividends of the sessions that are not in the lake, and store them.

    One ingestion at a time: a second request is answered 409. The latest closed session, requested by `date`, is
    published as an event, as if the exchange had just closed it; older sessions and ranges are not.
    """
    if body.day is None:
        return _to_response(await services.ingestion.ingest_period(body.period(), force=body.force))
    result = await services.ingestion.ingest_session(body.day, force=body.force)
    if body.day == result.last_closed:
        await services.events.publish_synced(body.day, result)
    return _to_response(result)


@router.post(
    "/import",
    summary="Import bars of a file",
    response_model_exclude_none=True,
    openapi_extra=document_request_frame(BAR_EXAMPLE, (CSV, PARQUET, ARROW)),
)
async def post_bar_import(request: Request, services: RequestServices, replace: Replace = False) -> BarImportResponse:  # noqa: FBT002 - a parameter of the query
    """Store the bars of a CSV, parquet or Arrow table, without the vendor; the answer says what was understood.

    Columns are found by their usual names, others are ignored. Rows that fail a check go to quarantine. 409 when the
    lake holds a session with other rows, unless `replace` is given; sessions with the same rows are left alone.
    """
    read = read_bars_table(await read_table(request))
    result = await services.ingestion.import_bars(read.bars, replace=replace)
    return BarImportResponse(**_to_response(result).model_dump(), understood=read.report.sentences())


@router.get("/ingestion", summary="Progress of the ingestion")
async def get_ingestion_progress(services: RequestServices) -> IngestionProgressResponse:
    """Progress of the running ingestion, or of the last one of this process."""
    return IngestionProgressResponse.model_validate(services.ingestion.progress)


@router.get(
    "",
    summary="Bars of a range",
    responses=document_response_frame(equity_bars.COLUMNS),
    response_class=Response,
)
def get_equity_bars(  # noqa: PLR0913, PLR0917 - one parameter of the query each
    request: Request,
    services: RequestServices,
    period: RequiredPeriod,
    tickers: Tickers,
    columns: ColumnList = None,
    adjusted_as_of: Annotated[
        date | None,
        Query(description="Adjust prices for what takes effect by this day, and name securities as on it"),
    ] = None,
    as_of: KnownAt = None,
    version: Annotated[int | None, Query(ge=0, description="Version of the table of bars")] = None,
) -> Response:
    """Bars ordered by date and ticker; without `adjusted_as_of` prices and tickers are as traded.

    `columns` may name `security_id` too. With `as_of`, what was known at that moment. `X-Bars-Version` is the version
    of the table that they were read from, `X-Known-At` the moment of the answer: asked again with both, the answer is
    the same. An Arrow stream is sent as it is read. A caller that accepts `multipart/mixed` gets a long range of all
    tickers as the lake's own parquet files, whole months of them; on the same machine with `Prefer: file-names`, as the
    addresses of these files.
    """
    media_type = negotiate(request.headers.get("accept"), (ARROW, PARQUET, JSON, PARTS))
    query = BarsQuery(period, tickers, split_at_commas("columns", columns), adjusted_as_of, as_of, version)
    lake = services.lake
    if tickers is not None or media_type not in {ARROW, PARTS}:
        frame, found = read_bars(lake, query)
        return frame_response(frame, request, bars_version=found.version, known_at=found.known_at)
    wanted = plan_bars(lake, query)
    files = find_files(lake, wanted) if media_type == PARTS and SECURITY_ID not in wanted.columns else None
    if files is None:
        return stream_response(stream_frames(lake, wanted), wanted.version, wanted.known_at)
    names, factors, by_name = find_changed_names(wanted), find_adjustment(lake, wanted), _prefers_names(request)
    parts = make_bar_parts(files, names, factors, by_name=by_name)
    return parts_response(parts, wanted.version, wanted.known_at)


def _prefers_names(request: Request) -> bool:
    """Whether a caller on this machine prefers the names of the files to their content."""
    preferences = {name.strip() for name in request.headers.get("prefer", "").split(",")}
    return FILE_NAMES in preferences and request.client is not None and is_loopback(request.client.host)


def _to_response(result: IngestionResult | ImportResult) -> IngestionResponse:
    return IngestionResponse(
        sessions=[SessionOutcome.model_validate(session) for session in result.sessions],
        rows=sum(session.rows for session in result.sessions),
        quarantined=sum(session.quarantined for session in result.sessions),
        bars_version=result.bars_version,
    )
