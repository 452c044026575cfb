"""The signal sheet on the terminal, at 80 columns."""

from collections.abc import Mapping
from math import isnan

from rich.console import Console
from rich.table import Table

from internal.backtests.settings import describe_planted_signal
from internal.overlapping_means import Estimate
from research.signals.quantile_returns import QUANTILES
from research.signals.sheet import MAIN_HORIZON, PARTICIPATION, SignalSheet

NO_FIGURE = "-"


def show_sheet(sheet: SignalSheet, title: str, console: Console, *, market: str) -> None:
    """Print the tables of a sheet, and that a simulated market holds a planted signal."""
    console.print(f"\n[bold]{title}[/bold]")
    if planted := describe_planted_signal(market):
        console.print(planted)
    coefficients = {_sessions(one): found for one, found in sheet.coefficients.items()}
    console.print(_estimates("Rank information coefficient by horizon", coefficients))
    decay = {f"after {_sessions(lag)}": found for lag, found in sheet.decay.items()}
    console.print(_estimates("Decay: coefficient of one session's return", decay))
    console.print(_quantiles(sheet))
    years = {str(year): found for year, found in sheet.by_year.items()}
    console.print(_estimates(f"By year, {MAIN_HORIZON} sessions", years))
    if sheet.by_sector:
        console.print(_estimates(f"By sector, {MAIN_HORIZON} sessions", sheet.by_sector))
    console.print(
        f"{sheet.coverage:.0f} names a session; rank autocorrelation {_number(sheet.autocorrelation, 3)}; "
        f"turnover of the outer quintiles {_number(sheet.turnover * 100, 1)} % a session; capacity "
        f"{_number(sheet.capacity / 1e6, 1)} million dollars at {PARTICIPATION:.0%} of the median name's volume."
    )
    console.print("Errors account for overlapping returns (Newey and West, 1987).", style="dim")


def _estimates(title: str, estimates: Mapping[str, Estimate]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for name in ("", "mean", "error", "t", "sessions"):
        table.add_column(name, justify="left" if not name else "right")
    for name, one in estimates.items():
        figures = (_number(one.mean, 4), _number(one.standard_error, 4), _number(one.t_statistic, 1), f"{one.count:,}")
        table.add_row(name, *figures)
    return table


def _quantiles(sheet: SignalSheet) -> Table:
    title = "Mean return by quintile, less the session's mean; basis points"
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("sessions", justify="right")
    for quantile in range(QUANTILES):
        table.add_column(str(quantile + 1), justify="right")
    table.add_column("5 less 1", justify="right")
    table.add_column("t", justify="right")
    for one in sheet.quantiles:
        means = (_number(mean * 1e4, 1) for mean in one.means)
        table.add_row(str(one.horizon), *means, _number(one.spread.mean * 1e4, 1), _number(one.spread.t_statistic, 1))
    return table


def _number(value: float, digits: int) -> str:
    return NO_FIGURE if isnan(value) else f"{value:.{digits}f}"


def _sessions(count: int) -> str:
    return "1 session" if count == 1 else f"{count} sessions"
