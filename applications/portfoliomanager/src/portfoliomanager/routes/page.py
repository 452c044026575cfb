"""The page over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse

from internal.errors import NotFoundError
from portfoliomanager import performance
from portfoliomanager.pages.overview import render
from portfoliomanager.portfolio_view import current_portfolio
from portfoliomanager.services import Services, services

router = APIRouter(tags=["page"])


@router.get("/", summary="The fund on one page", response_class=HTMLResponse)
def show_page(parts: Annotated[Services, Depends(services)]) -> HTMLResponse:
    """Value over time, the book, the latest orders; it only reads."""
    try:
        current = current_portfolio(parts.broker, parts.journal)
    except NotFoundError:
        current = None
    report = performance.report(parts.journal.snapshots())
    return HTMLResponse(render(current, report, parts.journal.orders()))
