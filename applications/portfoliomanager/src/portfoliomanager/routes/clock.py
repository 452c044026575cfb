"""The market's clock over HTTP, for the scheduler and for whoever shows the fund's mode."""

import datetime as dt

from fastapi import APIRouter
from pydantic import BaseModel, Field

from internal.modes import Mode
from portfoliomanager.services import RequestServices

router = APIRouter(prefix="/clock", tags=["clock"])


class ClockResponse(BaseModel):
    """The broker's clock and mode."""

    moment: dt.datetime = Field(description="the market's clock, UTC, at most a second old")
    mode: Mode


@router.get("", summary="The market's clock, and whether the account is simulated, paper or live")
def get_clock(services: RequestServices) -> ClockResponse:
    """The broker's clock; the fund never decides by this machine's."""
    reading = services.clock.read()
    return ClockResponse(moment=reading.moment, mode=reading.mode)
