"""Orders over HTTP: what was planned and sent, and what became of it."""

from datetime import date
from typing import Annotated, Literal

import polars as pl
from fastapi import APIRouter, Depends, Query, Request, Response

from internal.http.frames import FRAME_RESPONSES, frame_response, negotiate
from portfoliomanager.services import Services, services

router = APIRouter(prefix="/orders", tags=["orders"])
type State = Literal[
    "planned", "submitted", "partially_filled", "filled", "canceled", "rejected", "unresolved", "dropped"
]


@router.get("", summary="Orders of the journal", responses=FRAME_RESPONSES, response_class=Response)
def read_orders(
    request: Request,
    parts: Annotated[Services, Depends(services)],
    day: Annotated[date | None, Query(alias="date", description="The session at whose close they were decided")] = None,
    portfolio_id: Annotated[str | None, Query(min_length=1)] = None,
    state: State | None = None,
) -> Response:
    """The orders frame, oldest first, filtered by what is given."""
    negotiate(request.headers.get("accept"))
    wanted = {"date": day, "portfolio_id": portfolio_id, "state": state}
    given = [pl.col(name) == value for name, value in wanted.items() if value is not None]
    return frame_response(parts.journal.orders().filter(*given), request)
