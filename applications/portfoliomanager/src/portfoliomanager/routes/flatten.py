"""Closing all positions over HTTP."""

from fastapi import APIRouter

from portfoliomanager.requests import FlattenRequest
from portfoliomanager.services import RequestServices
from portfoliomanager.trading_state_responses import FlattenResponse

router = APIRouter(prefix="/flatten", tags=["trading state"])


@router.post("", summary="Close everything that is the fund's, and stay flat until a person resumes trading")
def post_flatten(body: FlattenRequest, services: RequestServices) -> FlattenResponse:
    """Halt, cancel the fund's open orders, send closes of its positions, and report; asked again, it goes on.

    The trading state is stored first: whatever fails after it is gone on with at every reconciliation.
    """
    report = services.operations.flatten(body.changed_by, body.reason)
    return FlattenResponse.of(report, services.clock.mode)


@router.get("", summary="What was closed, and what is still open and why")
def get_flatten(services: RequestServices) -> FlattenResponse:
    """The last time that all positions were to be closed; 404 where that never happened."""
    return FlattenResponse.of(services.operations.report_flattening(), services.clock.mode)
