# matplotlib annotates its arguments only in part:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
"""The charts of a report, as SVG and one of them as PNG."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from internal.backtests.report_rows import CapacityPoint
from internal.pages.reports import BASE, CHART_STYLE, INK, LINE, MINUS, PLUS
from internal.performance import drawdowns
from research.result import BacktestResult
from research.statistics.rolling import WINDOW, rolling_sharpe
from research.statistics.summary import Statistics

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STYLE: Final[dict[Any, Any]] = {  # matplotlib's own type lists every key
    **CHART_STYLE,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "svg.hashsalt": "backtest",
}


@dataclass(frozen=True)
class Charts:
    """The charts of one report: SVG, and the first one as PNG; None where there is too little."""

    overview: str
    rolling_sharpe: str | None
    costs: str
    capacity: str | None
    png: bytes


def draw_charts(result: BacktestResult, statistics: Statistics) -> Charts:
    """Draw the charts of a report."""
    from matplotlib import rc_context  # noqa: PLC0415 - matplotlib takes a second that only a report needs

    points = [point for point in statistics.capacity if point.annualised_return.value is not None]
    with rc_context(STYLE):
        overview = _draw_overview(result)
        return Charts(
            overview=_to_svg(overview),
            rolling_sharpe=_to_svg(_draw_rolling_sharpe(result)) if len(result.returns) >= WINDOW else None,
            costs=_to_svg(_draw_costs(result)),
            capacity=_to_svg(_draw_capacity(points)) if points else None,
            png=_to_png(overview),
        )


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    return Figure(figsize=(width, height), layout="constrained")


def _draw_overview(result: BacktestResult) -> "Figure":
    figure, days, value = _figure(9.6, 6.4), result.days, result.net_asset_value
    above, middle, below = figure.subplots(3, 1, sharex=True, height_ratios=(3, 1, 1))
    _lines(
        above,
        result,
        [
            (result.benchmark.values / result.benchmark.values[0] * value[0], BASE, result.benchmark.name),
            (value, INK, "strategy, net of costs"),
        ],
    )
    above.yaxis.set_major_formatter("{x:,.0f}")
    above.set(ylabel="net asset value, dollars")
    middle.fill_between(np.array(days), -100 * drawdowns(value), color=MINUS, linewidth=0)
    middle.set(ylabel="drawdown, %")
    _lines(below, result, [(result.gross_exposure, INK, "gross"), (result.net_exposure, PLUS, "net")])
    below.set(ylabel="exposure,\nof value")
    return figure


def _draw_rolling_sharpe(result: BacktestResult) -> "Figure":
    figure = _figure(4.7, 2.8)
    axes = figure.subplots()
    axes.axhline(0, color=BASE, linewidth=0.8)
    axes.plot(np.array(result.days[1:]), rolling_sharpe(result.returns), color=INK)
    axes.set(ylabel=f"Sharpe ratio of {WINDOW} sessions, annualised")
    _format_days(axes)
    return figure


def _draw_costs(result: BacktestResult) -> "Figure":
    figure = _figure(4.7, 2.8)
    axes = figure.subplots()
    lines = (
        (result.impact, MINUS, "spread and impact"),
        (result.borrow, PLUS, "borrow"),
        (result.fees, INK, "fees"),
    )
    _lines(axes, result, [(series.cumsum(), colour, label) for series, colour, label in lines])
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set(ylabel="paid so far, dollars")
    return figure


def _draw_capacity(points: Sequence[CapacityPoint]) -> "Figure":
    from matplotlib.ticker import NullFormatter  # noqa: PLC0415 - as above

    figure = _figure(9.6, 2.8)
    axes = figure.subplots()
    capital = [point.capital for point in points]
    ends = [(point.annualised_return.lower, point.annualised_return.upper) for point in points]
    lower, upper = 100 * np.array(ends, dtype=np.float64).T
    axes.fill_between(capital, lower, upper, color=LINE, linewidth=0, label="95 % interval")
    axes.plot(capital, [100 * (point.annualised_return.value or 0.0) for point in points], color=INK, marker="o", ms=3)
    axes.axhline(0, color=BASE, linewidth=0.8)
    axes.set(xscale="log", xlabel="capital, dollars", ylabel="net return, % a year")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.legend(loc="best")
    return figure


def _lines(axes: "Axes", result: BacktestResult, lines: Sequence[tuple[np.ndarray, str, str]]) -> None:
    for series, colour, label in lines:
        axes.plot(np.array(result.days), series, color=colour, label=label)
    axes.legend(loc="best", ncols=2)
    _format_days(axes)


def _format_days(axes: "Axes") -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # noqa: PLC0415 - as above

    locator = AutoDateLocator()
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def _to_png(figure: "Figure") -> bytes:
    drawing = BytesIO()
    figure.savefig(drawing, format="png", dpi=150, metadata={"Software": None})
    return drawing.getvalue()


def _to_svg(figure: "Figure") -> str:
    drawing = BytesIO()
    figure.savefig(drawing, format="svg", transparent=True, metadata={"Date": None})
    return drawing.getvalue().decode()
