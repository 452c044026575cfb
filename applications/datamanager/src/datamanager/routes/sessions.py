"""The ingested sessions over HTTP."""

from fastapi import APIRouter, Request, Response

from datamanager import queries
from datamanager.routes.parameters import OptionalPeriod
from datamanager.services import RequestServices
from internal.http.frame_documentation import document_response_frame
from internal.http.frames import frame_response, negotiate
from internal.lake.tables import INGESTION_SESSIONS_COLUMNS

router = APIRouter(prefix="/sessions", tags=["sessions"])


@router.get(
    "",
    summary="Which sessions are in the lake",
    responses=document_response_frame(INGESTION_SESSIONS_COLUMNS),
    response_class=Response,
)
def get_sessions(request: Request, services: RequestServices, period: OptionalPeriod) -> Response:
    """One row a session: rows, quarantined rows, digest of the vendor's rows, time of collection."""
    negotiate(request.headers.get("accept"))
    return frame_response(queries.read_sessions(services.lake, period), request)
