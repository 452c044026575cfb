"""The pictures of an evaluation: differences, loss by session ahead, calibration, coverage by group.

Knows matplotlib figures, which it draws without a screen. Measures nothing and writes no file. The model, the best
baseline and the reference have a colour each, the same in every picture; other forecasts are grey.
"""

from io import BytesIO
from typing import Any, Final, cast

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from internal.forecasting.quantiles import QUANTILES, STEPS
from models.comparison import REFERENCE, Difference, Evaluation, Line

COLOURS: Final = ("#0969da", "#bf3989", "#9a6700")  # of the highlighted lines
DOTS_PER_INCH: Final = 150
GREY, RULE, NOMINAL = "#8c959f", "#d0d7de", 80.0


def draw(evaluation: Evaluation) -> dict[str, tuple[bytes, bytes]]:
    """Every picture by its name, as PNG and as SVG."""
    style = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "evaluation"}
    with rc_context(cast("Any", style)):  # its stub wants a literal of all settings
        return {name: _rendered(figure) for name, figure in _figures(evaluation).items()}


def _rendered(figure: Figure) -> tuple[bytes, bytes]:
    png, svg = BytesIO(), BytesIO()
    figure.savefig(png, format="png", dpi=DOTS_PER_INCH)
    figure.savefig(svg, format="svg", metadata={"Date": None})  # the same evaluation, the same bytes
    return png.getvalue(), svg.getvalue()


def _figures(evaluation: Evaluation) -> dict[str, Figure]:
    return {
        "differences": differences(evaluation),
        "loss_by_horizon": loss_by_horizon(evaluation),
        "calibration": calibration(evaluation),
        "coverage": coverage(evaluation),
    }


def differences(evaluation: Evaluation) -> Figure:
    """Each forecast's difference to the best baseline with its 95 % interval, daily and cumulative returns."""
    figure = Figure(figsize=(9, 1.5 + 0.32 * len(evaluation.lines)), layout="constrained")
    best, colours = evaluation.lines[0].score.name, _colours(evaluation)
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
            _bar(axes, place, difference, colours.get(line.score.name, GREY))
        axes.axvline(0, color=RULE, zorder=0)
        axes.set(title=title, xlabel=f"pinball loss against {best}, %\n(left of 0 is better)")
    names = [line.score.name for line in evaluation.lines]
    panels[0].set_yticks(range(len(names)), names)
    panels[0].invert_yaxis()
    figure.suptitle("Difference and its 95 % interval (paired bootstrap over dates)")
    return figure


def _bar(axes: Axes, place: int, difference: Difference, colour: str) -> None:
    middle, lower, upper = difference
    axes.plot([lower, upper], [place, place], color=colour, linewidth=2, solid_capstyle="butt")
    axes.plot([middle], [place], "o", color=colour, markersize=5)


def loss_by_horizon(evaluation: Evaluation) -> Figure:
    """Cumulative loss by session ahead, in per cent of the reference's, and by quantile."""
    figure, colours = Figure(figsize=(9, 4), layout="constrained"), _colours(evaluation)
    panels = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    reference = next(line for line in evaluation.lines if line.score.name == REFERENCE).score
    for line in _greys_first(evaluation, colours):
        style = _style(line, colours, evaluation)
        by_step = 100 * (np.array(line.score.by_step) / np.array(reference.by_step) - 1)
        by_quantile = 100 * (np.array(line.score.by_quantile) / np.array(reference.by_quantile) - 1)
        panels[0].plot(STEPS, by_step, marker="o", markersize=4, **style)
        panels[1].plot(range(len(QUANTILES)), by_quantile, marker="o", markersize=4, **style)
    panels[0].set(title="By session ahead", xlabel="sessions ahead", ylabel=f"pinball loss against {REFERENCE}, %")
    panels[0].set_xticks(STEPS)
    panels[1].set(title="By quantile", xlabel="quantile, %")
    panels[1].set_xticks(range(len(QUANTILES)), [f"{100 * level:.0f}" for level in QUANTILES])
    figure.suptitle("Where the loss lies, cumulative returns (below 0 is better)")
    _legend(figure, panels[0])
    return figure


def calibration(evaluation: Evaluation) -> Figure:
    """Share of truths below each quantile less what it should be, by session ahead, a panel a quantile."""
    figure, colours = Figure(figsize=(9, 3.6), layout="constrained"), _colours(evaluation)
    panels = figure.subplots(1, len(QUANTILES), sharey=True)
    for place, (axes, level) in enumerate(zip(panels, QUANTILES, strict=True)):
        for line in evaluation.highlights():
            shares = [100 * shares[place] - 100 * level for shares in line.score.calibration]
            axes.plot(STEPS, shares, marker="o", markersize=4, **_style(line, colours, evaluation))
        axes.axhline(0, color=RULE, zorder=0)
        axes.set(title=f"{100 * level:.0f} % quantile", xlabel="sessions ahead")
        axes.set_xticks(STEPS)
    panels[0].set_ylabel("share of truths below, less\nwhat it should be, points")
    figure.suptitle("Calibration, cumulative returns (0 is right)")
    _legend(figure, panels[0])
    return figure


def coverage(evaluation: Evaluation) -> Figure:
    """What the 80 % interval covers, over all, by third of volatility and by sector."""
    lines, colours = evaluation.highlights(), _colours(evaluation)
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
    figure.suptitle("What the 80 % interval covers, cumulative returns")
    _legend(figure, axes)
    return figure


def _colours(evaluation: Evaluation) -> dict[str, str]:
    return {line.score.name: colour for line, colour in zip(evaluation.highlights(), COLOURS, strict=False)}


def _greys_first(evaluation: Evaluation, colours: dict[str, str]) -> list[Line]:
    return sorted(evaluation.lines, key=lambda line: line.score.name in colours)


def _style(line: Line, colours: dict[str, str], evaluation: Evaluation) -> dict[str, Any]:
    """Colour and label: the highlighted ones by name, the others once, together."""
    name = line.score.name
    if name in colours:
        best = " (best baseline)" if name == evaluation.lines[0].score.name else ""
        return {"color": colours[name], "label": f"{name}{best}", "zorder": 3}
    return {"color": GREY, "label": "other forecasts", "linewidth": 0.8, "alpha": 0.7}


def _legend(figure: Figure, axes: Axes) -> None:
    found = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))  # one entry a label
    figure.legend(found.values(), found.keys(), loc="outside lower center", ncols=len(found), frameon=False)
