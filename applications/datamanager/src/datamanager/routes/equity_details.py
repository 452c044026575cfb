"""Equity details over HTTP: fetch them from the vendor, merge a file's, read them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from datamanager import queries
from datamanager.details import FILE_SCHEMA
from datamanager.routes.frame_bodies import frame_body
from datamanager.routes.parameters import Tickers
from datamanager.services import Services, services
from internal.errors import InvalidRequestError
from internal.http.frames import ARROW, CSV, FRAME_RESPONSES, JSON, PARQUET, frame_response, negotiate, read_frame

router = APIRouter(prefix="/equity-details", tags=["equity details"])
EXAMPLE = {"ticker": "AAPL", "sector": "Information Technology", "industry": "Electronic Computers"}
BODY = frame_body(EXAMPLE, (CSV, PARQUET, ARROW))
BODY["requestBody"]["required"] = False
BODY["requestBody"]["content"][JSON] = {"schema": {"type": "object", "maxProperties": 0}, "example": {}}


class DetailsResponse(BaseModel):
    """How many rows there are after a sync, or how many a file brought."""

    rows: int = Field(ge=0)


@router.post("", summary="Sync from the vendor, or merge a file", openapi_extra=BODY)
async def store_equity_details(request: Request, parts: Annotated[Services, Depends(services)]) -> DetailsResponse:
    """With `{}` (or no body): fetch what is missing from the vendor, one request a ticker, once; resumable.

    With CSV, parquet or Arrow of ticker, sector, industry: merge it in; it wins over the vendor.
    """
    if await _asks_for_sync(request):
        return DetailsResponse(rows=await parts.details.synchronise())
    return DetailsResponse(rows=await parts.details.merge(await read_frame(request, FILE_SCHEMA)))


@router.get("", summary="Details of every ticker", responses=FRAME_RESPONSES, response_class=Response)
def read_equity_details(request: Request, parts: Annotated[Services, Depends(services)], tickers: Tickers) -> Response:
    """Details ordered by ticker."""
    negotiate(request.headers.get("accept"))
    return frame_response(queries.details(parts.lake, tickers), request)


async def _asks_for_sync(request: Request) -> bool:
    media_type = request.headers.get("content-type", JSON).split(";")[0].strip().lower()
    if media_type != JSON:
        return False
    body = (await request.body()).strip()
    if body not in (b"", b"{}"):
        raise InvalidRequestError(f"as {JSON} only {{}} is read here, which syncs; rows come as {CSV} or {PARQUET}")
    return True
