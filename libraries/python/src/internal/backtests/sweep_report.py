"""The report of one sweep as its file holds it: every variant with its figures, and what the best one is worth."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter

from internal.backtests.deflation import DeflatedSharpe
from internal.backtests.overfitting import Overfitting
from internal.backtests.settings import BacktestSettings


@dataclass(frozen=True)
class SweepPoint:
    """One variant and what it came to; a figure that is not defined is None.

    Attributes:
        key: Of its settings, as the ledger has it.
        parameters: The values of the grid.
        total_return: Fraction.
        annualised_return: Fraction a year.
        volatility: Fraction a year.
        sharpe: Annualised.
        maximum_drawdown: Positive fraction.
        turnover: Half the dollars traded over the mean net asset value, a year.
        cost: Spread, impact, fees and borrow over the mean net asset value, a year.
        fills: How many there were.
    """

    key: str
    parameters: Mapping[str, str]
    total_return: float
    annualised_return: float | None
    volatility: float | None
    sharpe: float | None
    maximum_drawdown: float
    turnover: float
    cost: float
    fills: int


@dataclass(frozen=True)
class SweepReport:
    """One sweep.

    Attributes:
        settings: Of the best variant.
        points: Every variant, the highest Sharpe ratio first.
        deflated_sharpe_of_the_best: In the light of the trials that there were when the report was written.
        overfitting: The probability of backtest overfitting.
    """

    settings: BacktestSettings
    points: tuple[SweepPoint, ...]
    deflated_sharpe_of_the_best: DeflatedSharpe
    overfitting: Overfitting | None

    def __post_init__(self) -> None:
        """Check that each variant has a value of every parameter. Raises ValueError."""
        if not self.points or any(point.parameters.keys() != self.points[0].parameters.keys() for point in self.points):
            raise ValueError("the variants of a sweep have the same parameters, and there is at least one variant")


_REPORT: Final = TypeAdapter(SweepReport)


def encode_sweep(report: SweepReport) -> bytes:
    """The report as JSON; what is not defined is null."""
    return _REPORT.dump_json(report, indent=2)


def decode_sweep(content: bytes) -> SweepReport:
    """The report that `encode_sweep` wrote. Raises ValueError."""
    return _REPORT.validate_json(content)
