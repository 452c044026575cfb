"""The state of the data over HTTP, as `fund data check` prints it."""

from datetime import date, timedelta

from fastapi import APIRouter

from datamanager import queries
from datamanager.data_check import check_data
from datamanager.periods import Period
from datamanager.responses import DataCheckResponse
from datamanager.routes.parameters import OptionalPeriod
from datamanager.services import RequestServices
from internal.dates import last_closed_session
from internal.lake.ingestion_log import read_last_session

router = APIRouter(prefix="/data-checks", tags=["data quality"])
DEFAULT_DAYS = timedelta(days=90)


@router.get("", summary="Sessions, quarantine, actions, disagreements, and what to do")
def get_data_check(services: RequestServices, period: OptionalPeriod) -> DataCheckResponse:
    """The data of a range; without one, all sessions, and the rest of the 90 days up to the last closed session."""
    sessions_from = date.min if period is None else period.start
    if period is None:
        closed = last_closed_session(services.freshness.vendor_time())
        end = max(closed, read_last_session(services.lake) or closed)
        period = Period(end - DEFAULT_DAYS, end)
    tables = queries.read_data_tables(services.lake, period)
    return DataCheckResponse.model_validate(check_data(tables, period.start, period.end, sessions_from=sessions_from))
