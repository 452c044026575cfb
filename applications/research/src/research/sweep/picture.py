"""The picture of a sweep: the Sharpe ratio over its parameters, as PNG."""

# matplotlib's functions are typed in part
# pyright: reportUnknownMemberType=false
from collections.abc import Sequence
from io import BytesIO

import numpy as np

from internal.backtests.sweep_report import SweepPoint
from internal.trading.arrays import FloatArray

LABEL = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}  # readable on every colour
INCHES = (7.0, 4.5)


def draw_sweep(points: Sequence[SweepPoint]) -> bytes:
    """A heat map over the first two parameters, or a line over the only one; the mean where more parameters vary."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - matplotlib takes a second that only a picture needs

    figure = Figure(INCHES, layout="constrained")
    axes, names = figure.subplots(), list(points[0].parameters)[:2]
    values = [list(dict.fromkeys(point.parameters[name] for point in points)) for name in names]
    table = _table(points, names, values)
    if len(names) == 1:
        axes.plot(values[0], table, marker="o")
        axes.set_ylabel("Sharpe ratio, annualised")
        axes.set_xlabel(names[0])
        axes.axhline(0, linewidth=0.8, color="grey")
    else:
        largest = max(float(np.nanmax(np.abs(table), initial=0.0)), 0.1)
        image = axes.imshow(table, cmap="RdBu", vmin=-largest, vmax=largest, aspect="auto")
        figure.colorbar(image, label="Sharpe ratio, annualised")
        axes.set_xticks(range(len(values[1])), values[1])
        axes.set_yticks(range(len(values[0])), values[0])
        axes.set_xlabel(names[1])
        axes.set_ylabel(names[0])
        for row, column in np.argwhere(np.isfinite(table)):
            axes.text(
                column,
                row,
                f"{table[row, column]:.2f}",
                ha="center",
                va="center",
                bbox=LABEL,
            )
    content = BytesIO()
    figure.savefig(content, format="png", dpi=150)
    return content.getvalue()


def _table(points: Sequence[SweepPoint], names: Sequence[str], values: Sequence[Sequence[str]]) -> FloatArray:
    """Sharpe ratios by the values of the parameters; NaN without any."""
    table = np.full([len(one) for one in values], np.nan)
    for cell in np.ndindex(table.shape):
        wanted = [own[place] for own, place in zip(values, cell, strict=True)]
        same = [point for point in points if [point.parameters[name] for name in names] == wanted]
        chosen = [point.sharpe for point in same if point.sharpe is not None]
        table[cell] = np.mean(chosen) if chosen else np.nan
    return table
