"""The report as one HTML page that needs no other file and no network."""

from dataclasses import dataclass
from functools import cache
from typing import Self

from jinja2 import Environment
from markupsafe import Markup

from internal.calendar_returns import YearOfReturns
from internal.pages.reports import ReportTable, inline_chart, make_report_environment
from research.report.charts import Charts
from research.report.figures import list_sections
from research.report.notes import write_notes
from research.report.tables import (
    list_capacity,
    list_costs,
    list_drawdowns,
    list_figures,
    list_settings,
    list_trials,
)
from research.report.text import describe_run
from research.report.verdict import LIMITATIONS, describe_trials, judge
from research.result import BacktestResult
from research.statistics.summary import Statistics


@dataclass(frozen=True)
class Drawings:
    """The charts as elements of the page; None where there are too few sessions for one."""

    overview: Markup
    rolling_sharpe: Markup | None
    costs: Markup
    capacity: Markup | None

    @classmethod
    def of(cls, charts: Charts) -> Self:
        """The charts in the page's colours."""
        return cls(
            overview=inline_chart(charts.overview),
            rolling_sharpe=None if charts.rolling_sharpe is None else inline_chart(charts.rolling_sharpe),
            costs=inline_chart(charts.costs),
            capacity=None if charts.capacity is None else inline_chart(charts.capacity),
        )


@dataclass(frozen=True)
class BacktestPage:
    """What the page of a backtest shows.

    Attributes:
        strategy: The strategy's file and class.
        verdict: What the backtest shows and does not show.
        period: Its sessions, capital, costs and market.
        sections: Figures with their intervals.
        trials: The figures that depend on the trials.
        drawdowns: The largest drawdowns.
        years: Returns by month and year.
        costs: The result at other costs.
        capacity: The result at other capitals.
        settings: What was run.
        notes: What came up in the run.
        limitations: What no backtest of this kind shows.
        drawings: The charts.
    """

    strategy: str
    verdict: str
    period: str
    sections: list[ReportTable]
    trials: ReportTable
    drawdowns: ReportTable
    years: tuple[YearOfReturns, ...]
    costs: ReportTable
    capacity: ReportTable
    settings: ReportTable
    notes: list[str]
    limitations: tuple[str, ...]
    drawings: Drawings

    @classmethod
    def of(cls, result: BacktestResult, statistics: Statistics, charts: Charts) -> Self:
        """The page of one backtest."""
        settings = result.settings
        sessions = f"{len(result.returns):,} sessions after the opening"
        return cls(
            strategy=settings.strategy,
            verdict=judge(statistics, settings),
            period=f"{settings.first_session} to {settings.last_session}, {sessions}; {describe_run(settings)}.",
            sections=[list_figures(section) for section in list_sections(statistics.measures)],
            trials=list_trials(describe_trials(statistics)),
            drawdowns=list_drawdowns(statistics.drawdowns),
            years=tuple(statistics.years),
            costs=list_costs(statistics.costs),
            capacity=list_capacity(statistics.capacity),
            settings=list_settings(settings),
            notes=write_notes(result.notes),
            limitations=LIMITATIONS,
            drawings=Drawings.of(charts),
        )

    def render(self) -> str:
        """The page as HTML."""
        return _environment().get_template("backtest.html").render(view=self)


@cache
def _environment() -> Environment:
    return make_report_environment("research.report")
