"""The quarantine over HTTP: read what was held back, release it by hand, read the audit of releases."""

import asyncio
from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from datamanager import queries
from datamanager.releases import Release
from datamanager.responses import ReleaseResponse
from datamanager.routes.parameters import OptionalPeriod
from datamanager.services import RequestServices
from internal.http.frame_documentation import document_response_frame
from internal.http.frames import frame_response, negotiate
from internal.lake.tables import QUARANTINE_COLUMNS, QUARANTINE_RELEASES_COLUMNS

router = APIRouter(prefix="/quarantine", tags=["data quality"])
Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class QuarantinedBar(BaseModel):
    """The key of a quarantined bar."""

    model_config = ConfigDict(extra="forbid")
    ticker: str
    date: date


class ReleaseRequest(BaseModel):
    """Who releases which bars, and why."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "released_by": "maria",
                "why": "the exchange's bulletin confirms the close",
                "bars": [{"ticker": "AAPL", "date": "2024-12-31"}],
            }
        },
    )
    released_by: Sentence
    why: Sentence
    bars: list[QuarantinedBar] = Field(min_length=1, max_length=10_000)


@router.get(
    "", summary="Quarantined rows", responses=document_response_frame(QUARANTINE_COLUMNS), response_class=Response
)
def get_quarantine(request: Request, services: RequestServices, period: OptionalPeriod) -> Response:
    """Rows that were held back, as received, each with its reason; without a range, all."""
    negotiate(request.headers.get("accept"))
    return frame_response(queries.read_quarantine(services.lake, period), request)


@router.get(
    "/releases",
    summary="What was released",
    responses=document_response_frame(QUARANTINE_RELEASES_COLUMNS),
    response_class=Response,
)
def get_releases(request: Request, services: RequestServices, period: OptionalPeriod) -> Response:
    """One line a bar: who released it, when and why, with the row as it was held."""
    negotiate(request.headers.get("accept"))
    return frame_response(queries.read_releases(services.lake, period), request)


@router.post("/releases", summary="Release bars by hand")
async def post_release(body: ReleaseRequest, services: RequestServices) -> ReleaseResponse:
    """Move bars from the quarantine into the lake, as a new version, with a line in the audit.

    A later collection of the same values does not quarantine them again. 404 where the quarantine has no such bar; 422
    where the bar breaks a rule that every bar keeps.
    """
    release = Release(body.released_by, body.why, datetime.now(UTC))
    keys = [(one.ticker, one.date) for one in body.bars]
    bars = await services.ingestion.release_bars(keys, release)
    return ReleaseResponse(rows=bars, bars_version=await asyncio.to_thread(services.lake.version, "equity_bars"))
