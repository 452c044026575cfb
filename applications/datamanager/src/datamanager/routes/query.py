"""SQL over HTTP: one SELECT over the lake's tables."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from datamanager.services import Services, services
from datamanager.sql import Limits, select
from internal.http.frames import FRAME_RESPONSES, frame_response, negotiate

router = APIRouter(prefix="/query", tags=["query"])
EXAMPLE = (
    "SELECT ticker, avg(close * volume) AS turnover FROM equity_bars GROUP BY ticker ORDER BY turnover DESC LIMIT 10"
)


@router.get("", summary="One SELECT over the lake", responses=FRAME_RESPONSES, response_class=Response)
def query_lake(
    request: Request,
    parts: Annotated[Services, Depends(services)],
    sql: Annotated[str, Query(min_length=1, max_length=10_000, description="DuckDB's SQL", examples=[EXAMPLE])],
) -> Response:
    """Read-only, ten seconds and 100,000 rows at most; no file, no network."""
    negotiate(request.headers.get("accept"))
    return frame_response(select(parts.lake, sql, Limits()), request)
