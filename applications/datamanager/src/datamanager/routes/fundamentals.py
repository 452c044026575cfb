"""Fundamentals over HTTP: collect what companies filed, read what was known at a moment."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from datamanager.fundamentals import read_fundamentals
from datamanager.queries import require_known_tickers
from datamanager.responses import StoredResponse
from datamanager.routes.parameters import KnownAt, Tickers
from datamanager.services import RequestServices
from internal.http.frame_documentation import document_response_frame
from internal.http.frames import frame_response, negotiate
from internal.schemas import fundamentals

router = APIRouter(prefix="/fundamentals", tags=["fundamentals"])


@router.post("", summary="Collect the reports that companies filed")
async def post_fundamentals(services: RequestServices) -> StoredResponse:
    """Ask EDGAR for every company that may have a new report: two requests a company; can be interrupted.

    The companies are those that `POST /equity-details` has found.
    """
    return StoredResponse(rows=await services.fundamentals.sync())


@router.get(
    "",
    summary="Fundamentals as they were known at a moment",
    responses=document_response_frame(fundamentals.TICKER_COLUMNS),
    response_class=Response,
)
def get_fundamentals(request: Request, services: RequestServices, tickers: Tickers, as_of: KnownAt) -> Response:
    """One row a ticker and measure, ordered by both: the latest period that was filed by then, as stated by then."""
    negotiate(request.headers.get("accept"))
    require_known_tickers(services.lake, tickers)
    return frame_response(read_fundamentals(services.lake, tickers, as_of or datetime.now(UTC)), request)
