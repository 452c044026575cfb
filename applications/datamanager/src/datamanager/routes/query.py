"""SQL over HTTP: one SELECT over the lake's tables."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from datamanager.services import RequestServices
from datamanager.sql import Limits
from internal.http.frames import FRAME_RESPONSES, frame_response, negotiate

router = APIRouter(prefix="/query", tags=["query"])
EXAMPLE = (
    "SELECT ticker, avg(close * volume) AS turnover FROM equity_bars GROUP BY ticker ORDER BY turnover DESC LIMIT 10"
)


@router.get("", summary="One SELECT over the lake", responses=FRAME_RESPONSES, response_class=Response)
def query_lake(
    request: Request,
    services: RequestServices,
    sql: Annotated[str, Query(min_length=1, max_length=10_000, description="SQL of DuckDB", examples=[EXAMPLE])],
) -> Response:
    """Read-only, at most ten seconds, 3 GiB and 100,000 rows, without access to files or the network."""
    negotiate(request.headers.get("accept"))
    return frame_response(services.queries.run(sql, Limits()), request)
