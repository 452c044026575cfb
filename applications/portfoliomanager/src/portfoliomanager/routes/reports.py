"""The daily report over HTTP."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from internal.errors import NotFoundError
from portfoliomanager.notifications.report_figures import ReportFigures
from portfoliomanager.services import RequestServices

router = APIRouter(prefix="/reports", tags=["notifications"])


class DailyReportResponse(BaseModel):
    """A report, as its message said it, with its figures."""

    title: str = Field(description="the session, the fund's value and its gain")
    text: str
    html: str
    figures: ReportFigures | None = Field(description="null in a report that an earlier version of the fund made")


@router.get("/daily", summary="The last daily report")
async def get_daily_report(services: RequestServices) -> DailyReportResponse:
    """The newest one that was made; 404 before the first decision."""
    report = await services.notifications.last_report()
    if report is None:
        raise NotFoundError("there is no daily report yet: one is made after each session's decision")
    figures = ReportFigures.model_validate(report.figures) if report.figures else None
    return DailyReportResponse(title=report.title, text=report.text, html=report.html, figures=figures)
