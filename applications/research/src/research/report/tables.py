"""The tables of a report's page, as texts."""

from collections.abc import Iterable

from internal.backtests.report_rows import CapacityPoint, CostScenario, Estimate
from internal.backtests.settings import BacktestSettings
from internal.drawdown_periods import Drawdown
from internal.pages.reports import ReportTable
from internal.strategies.parameter_text import write_parameters
from research.report.figures import Section
from research.report.units import Unit, write_interval, write_number


def list_settings(settings: BacktestSettings) -> ReportTable:
    """What was run: everything that the result depends on."""
    rows = {
        "Strategy": settings.strategy,
        "Parameters": write_parameters(settings.parameters) or "none",
        "Sessions": f"{settings.first_session} (opening) to {settings.last_session}",
        "Capital": f"{settings.capital:,.2f} dollars",
        "Costs": f"{settings.cost_multiple:g} times the venue's spread, impact, fees and borrow rates",
        "Market": settings.market,
        "Types that may be opened": settings.security_types,
        "Never opened": settings.do_not_trade or "none named",
        "Opened alone": settings.only_trade or "none named",
        "Bars, SHA-256": settings.bars_digest,
        "Forecasts": settings.forecasts or "none",
        "Strategy's file, SHA-256": settings.strategy_digest,
        "Code, SHA-256": settings.code_digest,
        "Key of all settings": settings.key,
    }
    return ReportTable("What was run", ("setting", "value"), list(rows.items()), prose=True)


def list_figures(section: Section) -> ReportTable:
    """A section of figures with intervals and units."""
    rows = [
        (
            figure.title,
            minus(write_number(figure.estimate.value, figure.unit, signed=figure.signed)),
            minus(write_interval(figure.estimate, figure.unit, signed=figure.signed)),
            figure.unit,
        )
        for figure in section.figures
    ]
    return ReportTable(section.title, ("figure", "value", "95 % interval", "unit"), rows)


def minus(text: str) -> str:
    """The text with true minus signs."""
    return text.replace("-", "\N{MINUS SIGN}")


def _write_estimate(estimate: Estimate, unit: Unit) -> str:
    value = write_number(estimate.value, unit, signed=True)
    interval = write_interval(estimate, unit, signed=True)
    return minus(f"{value} ({interval})" if interval else value)


def list_trials(rows: Iterable[tuple[str, str]]) -> ReportTable:
    """The figures that depend on the trials."""
    return ReportTable("Trials", ("figure", "value"), list(rows), prose=True)


def list_costs(scenarios: Iterable[CostScenario]) -> ReportTable:
    """The result at other costs."""
    rows = [
        (
            f"{scenario.multiple:g}x",
            _write_estimate(scenario.annualised_return, Unit.PER_CENT_A_YEAR),
            _write_estimate(scenario.sharpe, Unit.RATIO),
            scenario.basis.value,
        )
        for scenario in scenarios
    ]
    heads = ("costs", "return, % a year (95 % interval)", "Sharpe ratio, annualised", "basis")
    return ReportTable("The result at other costs", heads, rows)


def list_capacity(points: Iterable[CapacityPoint]) -> ReportTable:
    """The result at other capitals."""
    rows = [
        (
            f"{point.capital:,.0f}",
            _write_estimate(point.annualised_return, Unit.PER_CENT_A_YEAR),
            _write_estimate(point.sharpe, Unit.RATIO),
            "" if point.impact is None else f"{1e4 * point.impact:.1f}",
            "" if point.above_limit is None else f"{point.above_limit:.1%}",
            point.basis.value,
        )
        for point in points
    ]
    heads = ("capital, dollars", "return, % a year (95 % interval)", "Sharpe ratio, annualised", "impact, basis points")
    return ReportTable(
        "The result at other capitals", (*heads, "traded above 5 % of a session's volume", "basis"), rows
    )


def list_drawdowns(periods: Iterable[Drawdown]) -> ReportTable:
    """The largest drawdowns."""
    rows = [
        (
            f"{period.depth:.2%}",
            str(period.peak),
            str(period.trough),
            "not yet" if period.recovered is None else str(period.recovered),
            str(period.sessions_to_trough),
            "" if period.sessions_to_recovery is None else str(period.sessions_to_recovery),
        )
        for period in periods
    ]
    heads = ("depth", "peak", "trough", "recovered", "sessions down", "sessions up")
    return ReportTable("The largest drawdowns", heads, rows)
