"""Disagreements of two vendors over HTTP: compare sessions now, read what was found."""

from datetime import date

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from datamanager import queries
from datamanager.disagreements import count_by_field, describe
from datamanager.periods import Period
from datamanager.routes.parameters import OptionalPeriod, Tickers
from datamanager.services import RequestServices
from internal.dates import sessions
from internal.http.frame_documentation import document_response_frame
from internal.http.frames import frame_response, negotiate
from internal.schemas import disagreements

router = APIRouter(prefix="/disagreements", tags=["data quality"])


class ComparisonRequest(BaseModel):
    """The sessions to compare."""

    model_config = ConfigDict(extra="forbid")
    start_date: date = Field(description="First day")
    end_date: date = Field(description="Last day, included; at most ten years later")


class MissingSession(BaseModel):
    """A session that the second vendor could not answer."""

    date: date
    reason: str


class ComparisonResponse(BaseModel):
    """What a comparison found."""

    sessions: int = Field(description="sessions that were compared")
    missing: list[MissingSession] = Field(description="sessions that the second vendor could not answer")
    disagreements: dict[str, int] = Field(description="rows by field")
    largest: list[str] = Field(description="the largest ones, one sentence each")


@router.post("", summary="Compare sessions with the second vendor")
async def post_comparison(body: ComparisonRequest, services: RequestServices) -> ComparisonResponse:
    """Compare bars, splits and dividends of the collected sessions of a range now, however many they are."""
    period = Period.between(body.start_date, body.end_date)
    result = await services.cross_check.check(sessions(period.start, period.end))
    return ComparisonResponse(
        sessions=len(result.compared),
        missing=[MissingSession(date=day, reason=reason) for day, reason in result.missing.items()],
        disagreements=count_by_field(result.rows),
        largest=list(describe(result.rows)),
    )


@router.get(
    "",
    summary="Disagreements of a range",
    responses=document_response_frame(disagreements.COLUMNS),
    response_class=Response,
)
def get_disagreements(
    request: Request, services: RequestServices, period: OptionalPeriod, tickers: Tickers
) -> Response:
    """Both vendors' values where they disagree, ordered by date, ticker and field; without a range, all."""
    negotiate(request.headers.get("accept"))
    return frame_response(queries.read_disagreements(services.lake, period, tickers), request)
