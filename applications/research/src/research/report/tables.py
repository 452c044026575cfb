"""The tables of a report's page, as HTML text; every text of a user is escaped."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from internal.backtests.report_rows import CapacityPoint, CostScenario, Estimate
from internal.backtests.settings import BacktestSettings
from internal.calendar_returns import YearOfReturns
from internal.drawdown_periods import Drawdown
from research.report.figures import Figure, Section
from research.report.notes import write_notes
from research.report.units import Unit, write_interval, write_number
from research.result import BacktestResult

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
STRONG: Final = 0.04  # a month's return with the strongest of the four colours of its sign


def render_table(head: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "") -> str:
    """A table of texts that are HTML already; the first cell of a row is its heading."""
    titles = "".join(f'<th scope="col">{title}</th>' for title in head)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>' for first, *rest in rows
    )
    return (
        f'<div class="wide" tabindex="0"><table class="{kind}"><thead><tr>{titles}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def render_settings(settings: BacktestSettings) -> str:
    """What was run: everything that the result depends on."""
    parameters = ", ".join(f"{name}={value}" for name, value in sorted(settings.parameters.items())) or "none"
    rows = {
        "Strategy": settings.strategy,
        "Parameters": parameters,
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
    return render_table(("", ""), ((title, escape(text)) for title, text in rows.items()), "words")


def render_section(section: Section) -> str:
    """A section of figures with intervals and units."""
    return render_table(("figure", "value", "95 % interval"), map(_figure, section.figures), "figures")


def _figure(figure: Figure) -> tuple[str, str, str]:
    value = write_number(figure.estimate.value, figure.unit, signed=figure.signed)
    interval = write_interval(figure.estimate, figure.unit, signed=figure.signed)
    return f'{escape(figure.title)} <span class="unit">{escape(figure.unit)}</span>', minus(value), minus(interval)


def minus(text: str) -> str:
    """The text with true minus signs."""
    return text.replace("-", "\N{MINUS SIGN}")


def _estimate(estimate: Estimate, unit: Unit) -> str:
    value = write_number(estimate.value, unit, signed=True)
    interval = write_interval(estimate, unit, signed=True)
    return minus(f"{value} ({interval})" if interval else value)


def render_trials(rows: Iterable[tuple[str, str]]) -> str:
    """The figures that depend on the trials."""
    return render_table(("", ""), ((escape(title), escape(text)) for title, text in rows), "words")


def render_costs(scenarios: Iterable[CostScenario]) -> str:
    """The result at other costs."""
    rows = (
        (
            f"{scenario.multiple:g}x",
            _estimate(scenario.annualised_return, Unit.PER_CENT_A_YEAR),
            _estimate(scenario.sharpe, Unit.RATIO),
            scenario.basis.value,
        )
        for scenario in scenarios
    )
    return render_table(("costs", "return, % a year (95 % interval)", "Sharpe ratio, annualised", "basis"), rows)


def render_capacity(points: Iterable[CapacityPoint]) -> str:
    """The result at other capitals."""
    rows = (
        (
            f"{point.capital:,.0f}",
            _estimate(point.annualised_return, Unit.PER_CENT_A_YEAR),
            _estimate(point.sharpe, Unit.RATIO),
            "" if point.impact is None else f"{1e4 * point.impact:.1f}",
            "" if point.above_limit is None else f"{point.above_limit:.1%}",
            point.basis.value,
        )
        for point in points
    )
    head = ("capital, dollars", "return, % a year (95 % interval)", "Sharpe ratio, annualised", "impact, basis points")
    return render_table((*head, "traded above 5 % of a session's volume", "basis"), rows)


def render_drawdowns(periods: Iterable[Drawdown]) -> str:
    """The deepest drawdowns."""
    rows = (
        (
            f"{period.depth:.2%}",
            str(period.peak),
            str(period.trough),
            "not yet" if period.recovered is None else str(period.recovered),
            str(period.sessions_to_trough),
            "" if period.sessions_to_recovery is None else str(period.sessions_to_recovery),
        )
        for period in periods
    )
    return render_table(("depth", "peak", "trough", "recovered", "sessions down", "sessions up"), rows)


def render_months(years: Iterable[YearOfReturns]) -> str:
    """Returns by month and year, in per cent."""
    head = "".join(f'<th scope="col">{title}</th>' for title in ("%", *MONTHS, "Year"))
    rows = "".join(
        f'<tr><th scope="row">{year.year}</th>{"".join(map(_month, year.months))}<td>{_per_cent(year.total)}</td></tr>'
        for year in years
    )
    return (
        f'<div class="wide" tabindex="0"><table class="heat"><thead><tr>{head}</tr></thead><tbody>'
        f"{rows}</tbody></table></div>"
    )


def _month(value: float | None) -> str:
    if value is None:
        return "<td></td>"
    step = min(4, 1 + int(3 * abs(value) / STRONG))
    return f'<td class="{"u" if value >= 0 else "d"}{step}">{_per_cent(value)}</td>'


def _per_cent(value: float | None) -> str:
    return minus(write_number(value, Unit.PER_CENT, signed=True))


def render_notes(result: BacktestResult, limitations: Iterable[str]) -> str:
    """What came up in the run, and what no backtest of this kind shows."""
    texts = write_notes(result.notes)
    notes = "".join(f"<li>{escape(note)}</li>" for note in texts)
    closed = f"<details><summary>{len(texts):,} notes</summary><ul>{notes}</ul></details>"
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in limitations)
    heading = f"<h2>Notes of the run</h2>{closed}" if notes else ""
    return f"{heading}<h2>Limitations</h2><ul>{items}</ul>"
