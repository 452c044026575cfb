"""The report of one backtest as its file holds it: settings, verdict, every figure with its unit, series by session."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Final

from pydantic import TypeAdapter

from internal.backtests.deflation import DeflatedSharpe
from internal.backtests.moments import Moments
from internal.backtests.overfitting import Overfitting
from internal.backtests.report_rows import CapacityPoint, CostScenario, Note
from internal.backtests.settings import BacktestSettings
from internal.calendar_returns import YearOfReturns
from internal.drawdown_periods import Drawdown

UNITS: Final[Mapping[str, str]] = {
    "annualised_return": "fraction a year",
    "capital": "dollars",
    "depth": "fraction of the peak",
    "impact": "fraction of the dollars traded",
    "months, total": "fraction",
    "sharpe, deviation, threshold of moments and deflation": "per session",
    "sharpe of costs and capacity": "annualised",
    "series": "dollars; exposures of net asset value; drawdown a fraction; rolling_sharpe annualised",
}

type Values = tuple[float | None, ...]


@dataclass(frozen=True)
class MeasureRow:
    """A figure with its 95 % interval, in the unit that is named; None where it is not defined."""

    name: str
    title: str
    unit: str
    value: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True)
class SeriesBySession:
    """One value for each session of `date`, in dollars unless another unit is named; None where it is not defined.

    Attributes:
        date: The sessions, the opening one first.
        net_asset_value: At the session's close.
        benchmark: Scaled to the first net asset value.
        cash: At the same moment.
        long_market_value: 0 or more.
        short_market_value: 0 or less.
        gross_exposure: Of net asset value.
        net_exposure: Of net asset value.
        drawdown: A positive fraction of the peak.
        rolling_sharpe: Of half a year, annualised.
        traded_dollars: Both sides.
        impact: Spread and impact.
        overnight_drift: Lost between the decision's close and the auction.
        fees: Regulators' fees.
        borrow: Borrow cost and interest.
    """

    date: tuple[date, ...]
    net_asset_value: Values
    benchmark: Values
    cash: Values
    long_market_value: Values
    short_market_value: Values
    gross_exposure: Values
    net_exposure: Values
    drawdown: Values
    rolling_sharpe: Values
    traded_dollars: Values
    impact: Values
    overnight_drift: Values
    fees: Values
    borrow: Values

    def __post_init__(self) -> None:
        """Check the lengths. Raises ValueError."""
        wrong = [one.name for one in fields(self) if len(getattr(self, one.name)) != len(self.date)]
        if wrong or not self.date:
            raise ValueError(f"the series {', '.join(wrong) or 'date'} have not one value a session")


@dataclass(frozen=True)
class BacktestReport:
    """One report.

    Attributes:
        settings: What was run.
        key: The content key of the settings.
        verdict: What it shows and does not show.
        units: Of the fields that have none in their name.
        measures: Every figure with its interval.
        moments: Of the daily returns; None when those have no Sharpe ratio.
        sharpe_error: Standard error of the Sharpe ratio, per session.
        above_zero: The probability that the true Sharpe ratio is above zero if this is the only trial.
        deflated: The same in the light of the trials that there were when the report was written.
        trials_of_strategy: How many of the trials were of the same strategy.
        overfitting: The probability of backtest overfitting.
        drawdowns: The deepest, deepest first.
        costs: The result at other costs.
        capacity: The result at other capitals.
        years: Returns by month and year.
        benchmark: What the benchmark is, in words.
        notes: What a reader should be aware of.
        limitations: What a backtest cannot show.
        series: By session.
    """

    settings: BacktestSettings
    key: str
    verdict: str
    units: Mapping[str, str]
    measures: tuple[MeasureRow, ...]
    moments: Moments | None
    sharpe_error: float | None
    above_zero: float | None
    deflated: DeflatedSharpe
    trials_of_strategy: int
    overfitting: Overfitting | None
    drawdowns: tuple[Drawdown, ...]
    costs: tuple[CostScenario, ...]
    capacity: tuple[CapacityPoint, ...]
    years: tuple[YearOfReturns, ...]
    benchmark: str
    notes: tuple[Note, ...]
    limitations: tuple[str, ...]
    series: SeriesBySession


_REPORT: Final = TypeAdapter(BacktestReport)


def encode_report(report: BacktestReport) -> bytes:
    """The report as JSON; what is not defined is null."""
    return _REPORT.dump_json(report, indent=1)


def decode_report(content: bytes) -> BacktestReport:
    """The report that `encode_report` wrote. Raises ValueError."""
    return _REPORT.validate_json(content)
