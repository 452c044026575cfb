"""The universe over HTTP: types, sectors and liquidity of a session, and what the liquidity rule admits."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from datamanager.routes.parameters import Day, KnownAt
from datamanager.services import RequestServices
from datamanager.universe import UniverseQuery, read_universe
from internal.errors import InvalidRequestError
from internal.http.frame_documentation import document_response_frame
from internal.http.frames import frame_response, negotiate
from internal.schemas import universe
from internal.trading.universe import Universe

router = APIRouter(prefix="/universe", tags=["universe"])
USUAL = Universe()
LONGEST_LOOKBACK = 252


def parse_rule(
    minimum_mean_close: Annotated[float, Query(ge=0, description="Dollars")] = USUAL.minimum_mean_close,
    minimum_mean_volume: Annotated[float, Query(ge=0, description="Shares a session")] = USUAL.minimum_mean_volume,
    lookback_sessions: Annotated[int, Query(ge=1, le=LONGEST_LOOKBACK)] = USUAL.lookback_sessions,
    minimum_sessions: Annotated[int, Query(ge=1, le=LONGEST_LOOKBACK)] = USUAL.minimum_sessions,
) -> Universe:
    """The liquidity rule; InvalidRequestError where it could admit nothing."""
    if minimum_sessions > lookback_sessions:
        raise InvalidRequestError(
            f"minimum_sessions {minimum_sessions} is above lookback_sessions {lookback_sessions}: no name could have "
            "so many bars"
        )
    return Universe(minimum_mean_close, minimum_mean_volume, lookback_sessions, minimum_sessions)


@router.get(
    "",
    summary="The universe of a session",
    responses=document_response_frame(universe.COLUMNS),
    response_class=Response,
)
def get_universe(
    request: Request,
    services: RequestServices,
    rule: Annotated[Universe, Depends(parse_rule)],
    day: Day = None,
    as_of: KnownAt = None,
) -> Response:
    """Every security with a bar in the lookback, by median dollar volume; delisted names are in their own past.

    `member` is the trading core's liquidity rule, by default with the limits of a strategy that sets none. Without
    `date` the last session; with `as_of`, what was known at that moment.
    """
    negotiate(request.headers.get("accept"))
    return frame_response(read_universe(services.lake, UniverseQuery(day, as_of, rule)), request)
