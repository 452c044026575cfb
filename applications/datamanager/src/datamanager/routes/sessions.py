"""The ledger of collected sessions over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from datamanager import queries
from datamanager.routes.parameters import OptionalPeriod
from datamanager.services import Services, services
from internal.http.frames import FRAME_RESPONSES, frame_response, negotiate

router = APIRouter(prefix="/sessions", tags=["sessions"])


@router.get("", summary="Which sessions are in the lake", responses=FRAME_RESPONSES, response_class=Response)
def read_sessions(request: Request, parts: Annotated[Services, Depends(services)], period: OptionalPeriod) -> Response:
    """One row a session: rows, quarantined rows, digest of what the vendor sent, when it was collected."""
    negotiate(request.headers.get("accept"))
    return frame_response(queries.sessions(parts.lake, period), request)
