"""The summary of a backtest for a terminal of 80 columns."""

from textwrap import wrap

from internal.backtests.report_rows import CostScenario
from internal.backtests.settings import BacktestSettings
from research.report.figures import Figure, list_sections
from research.report.notes import write_notes
from research.report.units import UNDEFINED, Unit, write_interval, write_number
from research.report.verdict import describe_trials, judge
from research.result import BacktestResult
from research.statistics.summary import Statistics

WIDTH = 80
TITLE, VALUE = 31, 8  # columns; the longest title has 31
NOTES = 3


def write_summary(result: BacktestResult, statistics: Statistics) -> str:
    """What was run, what it shows, and the figures with their intervals."""
    lines = [*_wrap(f"{result.settings.describe()}: {describe_run(result.settings)}."), ""]
    lines += [*_wrap(describe_first_decision(result.settings)), ""]
    lines += [*_wrap(judge(statistics, result.settings)), "", f"{'':{TITLE + VALUE}}  95 % interval"]
    for section in list_sections(statistics.measures):
        lines += [_figure(figure) for figure in section.figures]
    lines += ["", *(f"{title:<43} {text}" for title, text in describe_trials(statistics))]
    lines += ["", "Net of costs", *map(_scenario, statistics.costs)]
    notes = write_notes(result.notes)
    lines += ["", *(line for note in notes[:NOTES] for line in _wrap(f"Note: {note}"))] if notes else []
    if len(notes) > NOTES:
        lines.append(f"Further notes on the page: {len(notes) - NOTES:,}.")
    return "\n".join(line.rstrip() for line in lines) + "\n"


def describe_run(settings: BacktestSettings) -> str:
    """Capital, costs and market."""
    return f"{settings.capital:,.2f} dollars, costs {settings.cost_multiple:g}x, {settings.market}"


def describe_first_decision(settings: BacktestSettings) -> str:
    """Why the first day is one before the first that is traded."""
    return (
        f"A decision is taken at a session's close and traded at the next open, so the first day, "
        f"{settings.first_session}, is decided and not traded."
    )


def _figure(figure: Figure) -> str:
    value = write_number(figure.estimate.value, figure.unit, signed=figure.signed)
    interval = write_interval(figure.estimate, figure.unit, signed=figure.signed)
    if value == UNDEFINED:
        return f"{figure.title:<{TITLE}}  {value}"
    return f"{figure.title:<{TITLE}}{value:>{VALUE}}  {interval:<19} {figure.unit}"


def _scenario(scenario: CostScenario) -> str:
    value = write_number(scenario.annualised_return.value, Unit.PER_CENT_A_YEAR, signed=True)
    sharpe = write_number(scenario.sharpe.value, Unit.RATIO, signed=True)
    if value == UNDEFINED:
        return f"{scenario.multiple:>6g}x {value}"
    return f"{scenario.multiple:>6g}x {value:>9} % a year, Sharpe ratio {sharpe} ({scenario.basis})"


def _wrap(text: str) -> list[str]:
    return wrap(text, WIDTH)
