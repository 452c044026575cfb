"""The table of a sweep on the terminal, best variants first, and what the best one is worth after all trials."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from internal.backtests.deflation import DeflatedSharpe
from internal.backtests.overfitting import Overfitting
from internal.backtests.sweep_report import SweepPoint

SHOWN = 20
NO_FIGURE = "-"


def sort_points(points: Sequence[SweepPoint]) -> list[SweepPoint]:
    """The highest Sharpe ratio first, those without one last."""
    return sorted(points, key=lambda point: (point.sharpe is None, -(point.sharpe or 0.0)))


def show_points(points: Sequence[SweepPoint], console: Console) -> None:
    """The best variants."""
    table = Table(title=f"{min(len(points), SHOWN)} of {len(points)} variants, by Sharpe ratio", title_justify="left")
    names = list(points[0].parameters)
    for name in names:
        table.add_column(name)
    for name in ("return", "Sharpe", "drawdown", "turnover", "cost"):
        table.add_column(name, justify="right")
    for point in sort_points(points)[:SHOWN]:
        table.add_row(
            *(point.parameters[name] for name in names),
            _percent(point.annualised_return),
            NO_FIGURE if point.sharpe is None else f"{point.sharpe:.2f}",
            _percent(point.maximum_drawdown),
            f"{point.turnover:.1f}x",
            _percent(point.cost),
        )
    console.print(table)
    console.print("Return, turnover and cost are a year; cost is spread, impact, fees and borrow.", style="dim")


def show_selection(deflated: DeflatedSharpe, overfitting: Overfitting | None, console: Console) -> None:
    """What choosing the best of all trials leaves of its Sharpe ratio."""
    probability = NO_FIGURE if deflated.probability is None else f"{deflated.probability:.0%}"
    console.print(
        f"Deflated Sharpe ratio of the best: {probability}, after all {deflated.trials:,} trials on this data."
    )
    if overfitting is not None:
        console.print(
            f"Probability of backtest overfitting: {overfitting.probability:.0%} over {overfitting.trials:,} trials in "
            "the same sessions."
        )


def _percent(value: float | None) -> str:
    return NO_FIGURE if value is None else f"{value:.1%}"
