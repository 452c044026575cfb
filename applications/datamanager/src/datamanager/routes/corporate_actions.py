"""Splits and dividends over HTTP. They are ingested together with the bars of their days."""

from fastapi import APIRouter, Request, Response

from datamanager import queries
from datamanager.routes.parameters import OptionalPeriod, Tickers
from datamanager.services import RequestServices
from internal.http.frame_documentation import document_response_frame
from internal.http.frames import frame_response, negotiate
from internal.schemas import corporate_actions

router = APIRouter(prefix="/corporate-actions", tags=["corporate actions"])


@router.get(
    "/splits",
    summary="Splits of a range",
    responses=document_response_frame(corporate_actions.SPLITS_COLUMNS),
    response_class=Response,
)
def get_splits(request: Request, services: RequestServices, period: OptionalPeriod, tickers: Tickers) -> Response:
    """Splits ordered by execution date and ticker; without a range, all."""
    negotiate(request.headers.get("accept"))
    return frame_response(queries.read_splits(services.lake, period, tickers), request)


@router.get(
    "/dividends",
    summary="Dividends of a range",
    responses=document_response_frame(corporate_actions.DIVIDENDS_COLUMNS),
    response_class=Response,
)
def get_dividends(request: Request, services: RequestServices, period: OptionalPeriod, tickers: Tickers) -> Response:
    """Cash dividends ordered by ex-date and ticker; without a range, all."""
    negotiate(request.headers.get("accept"))
    return frame_response(queries.read_dividends(services.lake, period, tickers), request)
