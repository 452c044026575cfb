"""Charts of an evaluation: differences, loss by session ahead, calibration, coverage by group.

The model, the best baseline and the reference have a colour each, the same in every chart; other forecasts are grey.
"""
# matplotlib's annotations leave keyword arguments untyped:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from io import BytesIO
from typing import Any, Final, cast

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from internal.forecasting.quantiles import QUANTILES, STEPS
from internal.pages.reports import BASE, CHART_STYLE, INK, LINE, MODEL, PLUS
from models.evaluation import REFERENCE, Difference, Evaluation, ForecastLine

COLOURS: Final = (MODEL, INK, PLUS)  # of the highlighted lines: the model, the best baseline, the reference
DOTS_PER_INCH: Final = 150
GREY, RULE, NOMINAL = BASE, LINE, 80.0


def draw_charts(evaluation: Evaluation) -> dict[str, tuple[bytes, bytes]]:
    """Every chart by its name, as PNG and as SVG."""
    with rc_context(cast("Any", dict(CHART_STYLE))):  # the stub requires a literal of all settings
        return {name: _render(draw(evaluation)) for name, draw in CHARTS.items()}


def _render(figure: Figure) -> tuple[bytes, bytes]:
    png, svg = BytesIO(), BytesIO()
    figure.savefig(png, format="png", dpi=DOTS_PER_INCH)
    figure.savefig(svg, format="svg", transparent=True, metadata={"Date": None})  # equal evaluations give equal bytes
    return png.getvalue(), svg.getvalue()


def draw_differences(evaluation: Evaluation) -> Figure:
    """Each forecast's difference to the best baseline with its 95 % interval, daily and cumulative returns."""
    figure = Figure(figsize=(9, 1.5 + 0.32 * len(evaluation.lines)), layout="constrained")
    best, colours = evaluation.best_baseline, _assign_colours(evaluation)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, title, found in zip(
        panels,
        ("Daily returns", "Cumulative returns"),
        (
            [line.daily_difference for line in evaluation.lines],
            [line.cumulative_difference for line in evaluation.lines],
        ),
        strict=True,
    ):
        for place, (line, difference) in enumerate(zip(evaluation.lines, found, strict=True)):
            _draw_interval(axes, place, difference, colours.get(line.score.name, GREY))
        axes.axvline(0, color=RULE, zorder=0)
        axes.set(title=title, xlabel=f"pinball loss against {best}, %\n(left of 0 is better)")
    names = [line.score.name for line in evaluation.lines]
    panels[0].set_yticks(range(len(names)), names)
    panels[0].invert_yaxis()
    figure.suptitle("Difference and its 95 % interval (paired bootstrap over dates)")
    return figure


def _draw_interval(axes: Axes, place: int, difference: Difference, colour: str) -> None:
    middle, lower, upper = difference
    axes.plot([lower, upper], [place, place], color=colour, linewidth=2, solid_capstyle="butt")
    axes.plot([middle], [place], "o", color=colour, markersize=5)


def draw_loss_by_horizon(evaluation: Evaluation) -> Figure:
    """Cumulative loss by session ahead, in per cent of the reference's, and by quantile."""
    figure, colours = Figure(figsize=(9, 4), layout="constrained"), _assign_colours(evaluation)
    panels = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    reference = next(line for line in evaluation.lines if line.score.name == REFERENCE).score
    for line in _order_greys_first(evaluation, colours):
        style = _style(line, colours, evaluation)
        by_step = 100 * (np.array(line.score.by_step) / np.array(reference.by_step) - 1)
        by_quantile = 100 * (np.array(line.score.by_quantile) / np.array(reference.by_quantile) - 1)
        panels[0].plot(STEPS, by_step, marker="o", markersize=4, **style)
        panels[1].plot(range(len(QUANTILES)), by_quantile, marker="o", markersize=4, **style)
    panels[0].set(title="By session ahead", xlabel="sessions ahead", ylabel=f"pinball loss against {REFERENCE}, %")
    panels[0].set_xticks(STEPS)
    panels[1].set(title="By quantile", xlabel="quantile, %")
    panels[1].set_xticks(range(len(QUANTILES)), [f"{100 * level:.0f}" for level in QUANTILES])
    figure.suptitle("Loss by session ahead and by quantile, cumulative returns (below 0 is better)")
    _add_legend(figure, panels[0])
    return figure


def draw_calibration(evaluation: Evaluation) -> Figure:
    """Share of truths below each quantile, minus the quantile's level, by session ahead."""
    figure, colours = Figure(figsize=(9, 3.6), layout="constrained"), _assign_colours(evaluation)
    panels = figure.subplots(1, len(QUANTILES), sharey=True)
    for place, (axes, level) in enumerate(zip(panels, QUANTILES, strict=True)):
        for line in evaluation.highlighted_lines():
            shares = [100 * shares[place] - 100 * level for shares in line.score.calibration]
            axes.plot(STEPS, shares, marker="o", markersize=4, **_style(line, colours, evaluation))
        axes.axhline(0, color=RULE, zorder=0)
        axes.set(title=f"{100 * level:.0f} % quantile", xlabel="sessions ahead")
        axes.set_xticks(STEPS)
    panels[0].set_ylabel("share of truths below, minus\nthe level, percentage points")
    figure.suptitle("Calibration, cumulative returns (0 is calibrated)")
    _add_legend(figure, panels[0])
    return figure


def draw_coverage(evaluation: Evaluation) -> Figure:
    """Coverage of the 80 % interval, of all rows, by third of volatility and by sector."""
    lines, colours = evaluation.highlighted_lines(), _assign_colours(evaluation)
    groups = {line.score.name: line.coverage_by_group() for line in lines}
    names = list(groups[lines[0].score.name])
    figure = Figure(figsize=(8, 1.6 + 0.27 * len(names)), layout="constrained")
    axes = figure.subplots()
    for place, line in enumerate(lines):
        shares, offset = [100 * groups[line.score.name][name] for name in names], 0.2 * (place - (len(lines) - 1) / 2)
        axes.plot(shares, np.arange(len(names)) + offset, "o", markersize=5, **_style(line, colours, evaluation))
    axes.axvline(NOMINAL, color=RULE, zorder=0)
    axes.set_yticks(range(len(names)), [name.capitalize() for name in names])
    axes.invert_yaxis()
    axes.grid(axis="y", color=RULE, linewidth=0.5)
    axes.set(xlabel="truths inside the interval, %")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.suptitle("Coverage of the 80 % interval, cumulative returns")
    _add_legend(figure, axes)
    return figure


def _assign_colours(evaluation: Evaluation) -> dict[str, str]:
    return {line.score.name: colour for line, colour in zip(evaluation.highlighted_lines(), COLOURS, strict=False)}


def _order_greys_first(evaluation: Evaluation, colours: dict[str, str]) -> list[ForecastLine]:
    return sorted(evaluation.lines, key=lambda line: line.score.name in colours)


def _style(line: ForecastLine, colours: dict[str, str], evaluation: Evaluation) -> dict[str, Any]:
    """Colour and label; grey lines share one label."""
    name = line.score.name
    if name in colours:
        best = " (best baseline)" if name == evaluation.best_baseline else ""
        return {"color": colours[name], "label": f"{name}{best}", "zorder": 3}
    return {"color": GREY, "label": "other forecasts", "linewidth": 0.8, "alpha": 0.7}


def _add_legend(figure: Figure, axes: Axes) -> None:
    found = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))  # one entry a label
    figure.legend(found.values(), found.keys(), loc="outside lower center", ncols=len(found), frameon=False)


CHARTS: Final = {
    "differences": draw_differences,
    "loss_by_horizon": draw_loss_by_horizon,
    "calibration": draw_calibration,
    "coverage": draw_coverage,
}
