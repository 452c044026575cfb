"""Books over HTTP: profit and loss, lots, realised gains, activities, and what differs from the broker."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import PlainTextResponse

from internal.books.beancount_export import write_beancount
from internal.errors import InvalidRequestError
from internal.http.frame_documentation import document_response_frame
from internal.http.frames import frame_response, negotiate
from internal.lake.tables import TABLES
from portfoliomanager.activity_frames import TABLE, activity_frame
from portfoliomanager.books_export import ExportFormat, write_csv
from portfoliomanager.books_responses import BooksResponse, GainResponse, LotResponse, NamedProfitResponse
from portfoliomanager.services import RequestServices
from portfoliomanager.taxation import list_gains

router = APIRouter(prefix="/books", tags=["books"])
Year = Annotated[int | None, Query(ge=1990, le=2035, description="the year of closing; without it all years")]
MEDIA_TYPES = {ExportFormat.CSV: "text/csv", ExportFormat.BEANCOUNT: "text/plain"}


@router.get("", summary="The books beside the broker")
def get_books(services: RequestServices) -> BooksResponse:
    """Cash, flows and profit from the account's activities, and every difference from the broker with its causes."""
    return BooksResponse.of(services.books.view())


@router.get("/profits", summary="Profit and loss by name and kind")
def get_profits(services: RequestServices) -> list[NamedProfitResponse]:
    """Since the books began, sorted by ticker; first what belongs to no security."""
    return [NamedProfitResponse.of_name(ticker, profit) for ticker, profit in services.books.view().profits.items()]


@router.get("/lots", summary="Open lots")
def get_lots(services: RequestServices) -> list[LotResponse]:
    """What is held, by ticker and opening, oldest first."""
    return [LotResponse.of(lot) for lots in services.books.keep().lots.values() for lot in lots]


@router.get("/gains", summary="Realised gains")
def get_gains(services: RequestServices, year: Year = None) -> list[GainResponse]:
    """Closed positions as rows of IRS Form 8949, wash sales flagged."""
    return [GainResponse.of(row) for row in list_gains(services.books.keep(), services.market_data, year)]


@router.get(
    "/activities",
    summary="Account activities",
    responses=document_response_frame(TABLES[TABLE].columns),
    response_class=Response,
)
def get_activities(request: Request, services: RequestServices) -> Response:
    """Everything that moved cash or shares, as the broker listed it."""
    negotiate(request.headers.get("accept"))
    return frame_response(activity_frame(services.books.activities()), request)


@router.get("/export", summary="The books as a file", response_class=PlainTextResponse)
def export(
    services: RequestServices, form: Annotated[ExportFormat, Query(alias="format")], year: Year = None
) -> PlainTextResponse:
    """Realised gains as CSV (the columns of IRS Form 8949), or all activities as a beancount ledger."""
    if year is not None and form is ExportFormat.BEANCOUNT:
        raise InvalidRequestError("a beancount ledger holds all years: leave year out, or ask for format=csv")
    books = services.books.keep()
    if form is ExportFormat.BEANCOUNT:
        return PlainTextResponse(write_beancount(books), media_type=MEDIA_TYPES[form])
    gains = list_gains(books, services.market_data, year)
    return PlainTextResponse(write_csv(gains), media_type=MEDIA_TYPES[form])
