"""Securities over HTTP: which security had which ticker from when to when."""

from fastapi import APIRouter, Request, Response

from datamanager import queries
from datamanager.routes.parameters import Day, KnownAt, Tickers
from datamanager.services import RequestServices
from internal.http.frame_documentation import document_response_frame
from internal.http.frames import frame_response, negotiate
from internal.schemas import securities

router = APIRouter(prefix="/securities", tags=["securities"])


@router.get(
    "",
    summary="Securities and their tickers",
    responses=document_response_frame(securities.COLUMNS),
    response_class=Response,
)
def get_securities(
    request: Request, services: RequestServices, tickers: Tickers, day: Day = None, as_of: KnownAt = None
) -> Response:
    """One row a security and ticker, ordered by ticker and first day.

    With `date`, the tickers of that day; with `as_of`, what was known at that moment.
    """
    negotiate(request.headers.get("accept"))
    return frame_response(queries.read_securities(services.lake, day, tickers, as_of), request)
