"""The report of a backtest as its file holds it, from the result and its statistics."""

from dataclasses import asdict

import numpy as np

from internal.backtests.daily_returns import Series
from internal.backtests.report import UNITS, BacktestReport, MeasureRow, SeriesBySession, Values
from internal.performance import drawdowns
from research.report.figures import Figure, list_sections
from research.report.verdict import LIMITATIONS, judge
from research.result import BacktestResult
from research.statistics.rolling import rolling_sharpe
from research.statistics.summary import Statistics


def make_report(result: BacktestResult, statistics: Statistics) -> BacktestReport:
    """The report."""
    figures = [figure for section in list_sections(statistics.measures) for figure in section.figures]
    return BacktestReport(
        settings=result.settings,
        key=result.settings.key,
        verdict=judge(statistics, result.settings),
        units=UNITS,
        measures=tuple(_describe_figure(figure) for figure in figures),
        moments=statistics.moments,
        sharpe_error=statistics.sharpe_error,
        above_zero=statistics.above_zero,
        deflated=statistics.deflated,
        trials_of_strategy=statistics.trials_of_strategy,
        overfitting=statistics.overfitting,
        drawdowns=statistics.drawdowns,
        costs=statistics.costs,
        capacity=statistics.capacity,
        years=statistics.years,
        benchmark=result.benchmark.name,
        notes=result.notes,
        limitations=LIMITATIONS,
        series=list_series(result),
    )


def _describe_figure(figure: Figure) -> MeasureRow:
    """A figure in its own unit, which `unit` names; per cent are multiplied out."""
    scaled = {
        end: None if value is None else value * figure.unit.factor for end, value in asdict(figure.estimate).items()
    }
    return MeasureRow(figure.name, figure.title, figure.unit.value, **scaled)


def list_series(result: BacktestResult) -> SeriesBySession:
    """Every series by session."""
    return SeriesBySession(
        date=result.days,
        net_asset_value=_nullable(result.net_asset_value),
        benchmark=_nullable(result.benchmark.values / result.benchmark.values[0] * result.net_asset_value[0]),
        cash=_nullable(result.cash),
        long_market_value=_nullable(result.long_market_value),
        short_market_value=_nullable(result.short_market_value),
        gross_exposure=_nullable(result.gross_exposure),
        net_exposure=_nullable(result.net_exposure),
        drawdown=_nullable(drawdowns(result.net_asset_value)),
        rolling_sharpe=_nullable(np.concatenate([[np.nan], rolling_sharpe(result.returns)])),
        traded_dollars=_nullable(result.traded_dollars),
        impact=_nullable(result.impact),
        overnight_drift=_nullable(result.overnight_drift),
        fees=_nullable(result.fees),
        borrow=_nullable(result.borrow),
    )


def _nullable(values: Series) -> Values:
    return tuple(value if np.isfinite(value) else None for value in values.tolist())
