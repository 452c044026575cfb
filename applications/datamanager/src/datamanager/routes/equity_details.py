"""Equity details over HTTP: sync them from the vendor, merge a file's, read them."""

from dataclasses import asdict

from fastapi import APIRouter, Request, Response

from datamanager.detail_queries import read_details
from datamanager.responses import CollectionProgressResponse, DetailsResponse, PhaseResponse
from datamanager.routes.parameters import KnownAt, Tickers
from datamanager.routes.table_body import read_table
from datamanager.services import RequestServices
from internal.bar_files.details import read_details_table
from internal.errors import InvalidRequestError
from internal.http.frame_documentation import document_request_frame, document_response_frame
from internal.http.frames import ARROW, CSV, JSON, PARQUET, frame_response, negotiate
from internal.schemas import equity_details

router = APIRouter(prefix="/equity-details", tags=["equity details"])
EXAMPLE = {"ticker": "AAPL", "sector": "Information Technology", "industry": "Electronic Computers"}
BODY = document_request_frame(EXAMPLE, (CSV, PARQUET, ARROW))
BODY["requestBody"]["required"] = False
BODY["requestBody"]["content"][JSON] = {"schema": {"type": "object", "maxProperties": 0}, "example": {}}


@router.post("", summary="Sync from the vendor, or merge a file", openapi_extra=BODY)
async def post_equity_details(request: Request, services: RequestServices) -> DetailsResponse:
    """With `{}` or no body: refresh the vendor's listing, then ask EDGAR for missing companies; can be interrupted.

    With CSV, parquet or Arrow of ticker and any of name, sector, industry and primary_exchange: merge the rows; they
    override the vendor's. Other columns are ignored.
    """
    if await _requests_sync(request):
        return DetailsResponse(rows=await services.details.sync_from_vendor())
    read = read_details_table(await read_table(request))
    return DetailsResponse(rows=await services.details.merge_file(read.details), understood=read.report.sentences())


@router.get(
    "",
    summary="Details of every ticker",
    responses=document_response_frame(equity_details.ANSWER_COLUMNS),
    response_class=Response,
)
def get_equity_details(request: Request, services: RequestServices, tickers: Tickers, as_of: KnownAt) -> Response:
    """Details ordered by ticker, with the security that has it and since when; with `as_of`, as recorded by then."""
    negotiate(request.headers.get("accept"))
    return frame_response(read_details(services.lake, tickers, as_of), request)


@router.get("/progress", summary="Progress of the collection of details and fundamentals")
def get_progress(services: RequestServices) -> CollectionProgressResponse:
    """Each phase that was started: how far it is, and the seconds left."""
    return CollectionProgressResponse(phases=[PhaseResponse(**asdict(phase)) for phase in services.progress.phases()])


async def _requests_sync(request: Request) -> bool:
    """Whether the body is empty or an empty JSON object; InvalidRequestError for any other JSON."""
    media_type = request.headers.get("content-type", JSON).split(";")[0].strip().lower()
    if media_type != JSON:
        return False
    body = (await request.body()).strip()
    if body not in (b"", b"{}"):
        raise InvalidRequestError(f"as {JSON} only {{}} is read here, which syncs; send rows as {CSV} or {PARQUET}")
    return True
