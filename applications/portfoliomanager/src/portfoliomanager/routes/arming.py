"""Arming a live account over HTTP."""

from fastapi import APIRouter

from portfoliomanager.arming_responses import ArmingRequest, ArmingResponse, DisarmingRequest
from portfoliomanager.services import RequestServices

router = APIRouter(prefix="/arming", tags=["arming"])


@router.get("", summary="What would be traded with real money, and whether it may be")
def get_arming(services: RequestServices) -> ArmingResponse:
    """Strategy, limits, evidence and the last arming; it only reads."""
    return ArmingResponse.of(services.arming, services.arming.status())


@router.post("", summary="Allow live orders for some days")
def post_arming(body: ArmingRequest, services: RequestServices) -> ArmingResponse:
    """Store the arming of what was shown; the first session after it is a dry run."""
    status = services.arming.arm(body.account_number, body.digest, body.armed_by, body.days, body.without_evidence)
    return ArmingResponse.of(services.arming, status)


@router.delete("", summary="Take the arming back")
def delete_arming(body: DisarmingRequest, services: RequestServices) -> ArmingResponse:
    """Nothing more is sent for a decision; positions stay, and `POST /flatten` closes them."""
    return ArmingResponse.of(services.arming, services.arming.disarm(body.disarmed_by))
