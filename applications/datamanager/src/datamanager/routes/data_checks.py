"""The state of the data over HTTP, as `fund data check` prints it."""

from datetime import timedelta

from fastapi import APIRouter

from datamanager import queries
from datamanager.data_check import check_data
from datamanager.periods import Period
from datamanager.responses import DataCheckResponse
from datamanager.routes.parameters import OptionalPeriod
from datamanager.services import RequestServices
from internal.dates import last_closed_session

router = APIRouter(prefix="/data-checks", tags=["data quality"])
DEFAULT_DAYS = timedelta(days=90)


@router.get("", summary="Sessions, quarantine, actions, disagreements, and what to do")
def get_data_check(services: RequestServices, period: OptionalPeriod) -> DataCheckResponse:
    """The data of a range; without one, of the 90 days up to the last closed session by the vendor's clock."""
    if period is None:
        end = last_closed_session(services.freshness.vendor_time())
        period = Period(end - DEFAULT_DAYS, end)
    found = check_data(queries.read_data_tables(services.lake, period), period.start, period.end)
    return DataCheckResponse.model_validate(found)
