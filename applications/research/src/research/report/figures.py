"""The figures of a report, in the order they are shown, each with its title and unit."""

from dataclasses import dataclass

from internal.backtests.report_rows import Estimate
from research.report.units import Unit
from research.statistics.measures import Measures

DRIFT = "Overnight price move, no charge"


@dataclass(frozen=True)
class Figure:
    """One figure; `name` is its key in JSON, and `signed` says whether a plus is written."""

    name: str
    title: str
    estimate: Estimate
    unit: Unit
    signed: bool = False


@dataclass(frozen=True)
class Section:
    """Figures under one heading."""

    title: str
    figures: tuple[Figure, ...]


def list_sections(measures: Measures) -> tuple[Section, ...]:
    """The figures of a backtest by section."""
    return (
        Section("Return and risk", _return_and_risk(measures)),
        Section("Trading and its cost", _trading(measures)),
    )


def _return_and_risk(measures: Measures) -> tuple[Figure, ...]:
    return (
        Figure("total_return", "Total return", measures.total_return, Unit.PER_CENT, signed=True),
        Figure("annualised_return", "Return", measures.annualised_return, Unit.PER_CENT_A_YEAR, signed=True),
        Figure("volatility", "Volatility", measures.volatility, Unit.PER_CENT_A_YEAR),
        Figure("sharpe", "Sharpe ratio", measures.sharpe, Unit.RATIO, signed=True),
        Figure("sortino", "Sortino ratio", measures.sortino, Unit.RATIO, signed=True),
        Figure("maximum_drawdown", "Maximum drawdown", measures.maximum_drawdown, Unit.PER_CENT),
        Figure("hit_rate", "Sessions with a gain", measures.hit_rate, Unit.PER_CENT),
        Figure("beta", "Beta", measures.beta, Unit.MULTIPLE, signed=True),
        Figure("alpha", "Alpha", measures.alpha, Unit.PER_CENT_A_YEAR, signed=True),
    )


def _trading(measures: Measures) -> tuple[Figure, ...]:
    return (
        Figure("turnover", "Turnover, one-way", measures.turnover, Unit.TIMES_A_YEAR),
        Figure("gross_exposure", "Mean gross exposure", measures.gross_exposure, Unit.OF_VALUE),
        Figure("net_exposure", "Mean net exposure", measures.net_exposure, Unit.OF_VALUE, signed=True),
        Figure("cost", "Costs in all", measures.cost, Unit.PER_CENT_OF_VALUE),
        Figure("impact", "Spread and impact", measures.impact, Unit.PER_CENT_OF_VALUE),
        Figure(
            "overnight_drift",
            DRIFT,
            measures.overnight_drift,
            Unit.PER_CENT_OF_VALUE,
            signed=True,
        ),
        Figure("fees", "Regulators' fees", measures.fees, Unit.PER_CENT_OF_VALUE),
        Figure("borrow", "Borrow cost", measures.borrow, Unit.PER_CENT_OF_VALUE),
    )
