"""Orders over HTTP: what was planned and sent, and what became of it."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from internal.http.frame_documentation import document_response_frame
from internal.http.frames import frame_response, negotiate
from internal.schemas import orders
from internal.trading.enums import OrderState
from portfoliomanager.journal_frames import order_frame
from portfoliomanager.services import RequestServices

router = APIRouter(prefix="/orders", tags=["orders"])


@router.get(
    "",
    summary="Orders of the journal",
    responses=document_response_frame(orders.COLUMNS),
    response_class=Response,
)
def get_orders(
    request: Request,
    services: RequestServices,
    day: Annotated[date | None, Query(alias="date", description="The session at whose close they were decided")] = None,
    portfolio_id: Annotated[str | None, Query(min_length=1)] = None,
    state: OrderState | None = None,
) -> Response:
    """The orders frame, oldest first, filtered by what is given."""
    negotiate(request.headers.get("accept"))
    services.journal.refresh()
    found = services.journal.of(portfolio_id) if portfolio_id else services.journal.orders()
    wanted = [order for order in found if day in {None, order.date} and state in {None, order.state}]
    return frame_response(order_frame(wanted), request)
