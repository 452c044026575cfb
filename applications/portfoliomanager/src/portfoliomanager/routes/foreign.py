"""What is not the fund's over HTTP: hand trades, and orders of others in the same account."""

from fastapi import APIRouter
from pydantic import BaseModel

from portfoliomanager.responses import ForeignResponse, foreign_response
from portfoliomanager.services import RequestServices

router = APIRouter(prefix="/foreign", tags=["orders"])


class ForeignItems(BaseModel):
    """Positions and open orders that the journal does not explain; they are left alone."""

    foreign: list[ForeignResponse]


@router.get("", summary="Positions and open orders of the account that are not the fund's")
def get_foreign(services: RequestServices) -> ForeignItems:
    """As the broker shows them now, without a reconciliation."""
    return ForeignItems(foreign=[foreign_response(item) for item in services.operations.report_foreign()])
