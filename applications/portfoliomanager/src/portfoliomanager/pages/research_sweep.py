"""One sweep as a heat map over two of its parameters, the others at the values of the best variant."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from internal.backtests.deflation import DeflatedSharpe
from internal.backtests.sweep_report import SweepPoint, SweepReport
from portfoliomanager.pages.frame import Frame
from portfoliomanager.pages.research import CONFIDENCE, name_market, name_strategy

STEPS = 4  # of the colour
SMALLEST_SCALE = 0.5  # an annualised Sharpe ratio that has the strongest colour at least
SHOWN_POINTS = 100


@dataclass(frozen=True)
class HeatCell:
    """One variant of the map; `sharpe` is None where it has none, or was not run."""

    x: str
    y: str
    sharpe: float | None
    is_best: bool
    level: str


@dataclass(frozen=True)
class SweepView:
    """The page.

    Attributes:
        frame: The frame.
        name: Of the sweep's folder.
        report: Its variants.
        deflated: What all trials there are now leave of the best one's Sharpe ratio.
        across: The parameter across, as it was asked for; another where it has no such one.
        down: The parameter down.
        ledger_problem: Why the trials cannot be counted.
    """

    frame: Frame
    name: str
    report: SweepReport
    deflated: DeflatedSharpe | None
    across: str = ""
    down: str = ""
    ledger_problem: str = ""

    @property
    def title(self) -> str:
        """The strategy's class."""
        return name_strategy(self.report.settings)

    @property
    def market(self) -> str:
        """What was played."""
        return name_market(self.report.settings)

    @property
    def best(self) -> SweepPoint:
        """The variant with the highest Sharpe ratio."""
        return self.report.points[0]

    @property
    def parameters(self) -> list[str]:
        """What was varied."""
        return list(self.best.parameters)

    @property
    def x(self) -> str:
        """The parameter across."""
        return self.across if self.across in self.parameters else self.parameters[-1]

    @property
    def y(self) -> str:
        """The parameter down; empty where only one was varied."""
        others = [name for name in self.parameters if name != self.x]
        return self.down if self.down in others else (others[0] if others else "")

    @property
    def fixed(self) -> dict[str, str]:
        """The values of the parameters that the map does not vary: those of the best variant."""
        return {name: value for name, value in self.best.parameters.items() if name not in {self.x, self.y}}

    @property
    def columns(self) -> list[str]:
        """The values across."""
        return self._values(self.x)

    @property
    def rows(self) -> list[tuple[str, list[HeatCell]]]:
        """The map, from top to bottom; the values down with their cells."""
        down = self._values(self.y) if self.y else [""]
        return [(value, [self._cell(column, value) for column in self.columns]) for value in down]

    @property
    def shown(self) -> Sequence[SweepPoint]:
        """The best variants."""
        return self.report.points[:SHOWN_POINTS]

    @property
    def shows_skill(self) -> bool:
        """Whether the best one's Sharpe ratio is higher than luck explains once the trials are counted."""
        return (
            self.deflated is not None
            and self.deflated.probability is not None
            and self.deflated.probability >= CONFIDENCE
        )

    @property
    def scale(self) -> float:
        """The Sharpe ratio, of either sign, that has the strongest colour."""
        known = [abs(point.sharpe) for point in self.report.points if point.sharpe is not None]
        return max([*known, SMALLEST_SCALE])

    @property
    def chart(self) -> dict[str, object]:
        """The data of the chart."""
        return {
            "across": self.x,
            "down": self.y,
            "columns": self.columns,
            "rows": [value for value, _ in self.rows],
            "scale": self.scale,
            "cells": [[one.sharpe for one in cells] for _, cells in self.rows],
            "best": next(
                (
                    [place, row]
                    for row, (_, cells) in enumerate(self.rows)
                    for place, one in enumerate(cells)
                    if one.is_best
                ),
                None,
            ),
        }

    def address(self, across: str, down: str) -> str:
        """The map of other parameters."""
        return f"/research/sweeps/{self.name}?" + urlencode({"across": across, "down": down})

    def _values(self, name: str) -> list[str]:
        """The values of a parameter in the order of the numbers they are, else of the text."""
        return sorted({point.parameters[name] for point in self.report.points}, key=_order)

    def _cell(self, x: str, y: str) -> HeatCell:
        wanted = self.fixed | {self.x: x} | ({self.y: y} if self.y else {})
        point = next((one for one in self.report.points if dict(one.parameters) == wanted), None)
        sharpe = point.sharpe if point else None
        return HeatCell(x, y, sharpe, point is not None and point.key == self.best.key, _level(sharpe, self.scale))


def _order(value: str) -> tuple[bool, float, str]:
    try:
        return False, float(value), value
    except ValueError:
        return True, 0.0, value


def _level(value: float | None, scale: float) -> str:
    """The class of a cell: `u1` to `u4` above zero, `d1` to `d4` below."""
    if not value:
        return ""
    step = min(int(abs(value) / scale * STEPS) + 1, STEPS)
    return f"{'u' if value > 0 else 'd'}{step}"
