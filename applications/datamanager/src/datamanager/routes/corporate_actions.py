"""Splits and dividends over HTTP: read them. They are collected together with the bars of their days."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from datamanager import queries
from datamanager.routes.parameters import OptionalPeriod, Tickers
from datamanager.services import Services, services
from internal.http.frames import FRAME_RESPONSES, frame_response, negotiate

router = APIRouter(prefix="/corporate-actions", tags=["corporate actions"])


@router.get("/splits", summary="Splits of a range", responses=FRAME_RESPONSES, response_class=Response)
def read_splits(
    request: Request,
    parts: Annotated[Services, Depends(services)],
    period: OptionalPeriod,
    tickers: Tickers,
) -> Response:
    """Splits ordered by execution date and ticker; without a range, all."""
    negotiate(request.headers.get("accept"))
    return frame_response(queries.corporate_actions(parts.lake, "splits", "execution_date", period, tickers), request)


@router.get("/dividends", summary="Dividends of a range", responses=FRAME_RESPONSES, response_class=Response)
def read_dividends(
    request: Request,
    parts: Annotated[Services, Depends(services)],
    period: OptionalPeriod,
    tickers: Tickers,
) -> Response:
    """Cash dividends ordered by ex-date and ticker; without a range, all."""
    negotiate(request.headers.get("accept"))
    return frame_response(
        queries.corporate_actions(parts.lake, "dividends", "ex_dividend_date", period, tickers), request
    )
