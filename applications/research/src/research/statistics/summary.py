"""All statistics of one backtest, with the corrections for the trials that it was selected from."""

from dataclasses import dataclass

from internal.backtests.deflation import DeflatedSharpe, deflate_sharpe
from internal.backtests.moments import Moments, probabilistic_sharpe_ratio, sharpe_standard_error, summarize_moments
from internal.backtests.overfitting import Overfitting, estimate_overfitting
from internal.backtests.report_rows import CapacityPoint, CostScenario
from internal.backtests.selection import Selection
from internal.calendar_returns import YearOfReturns, returns_by_month
from internal.drawdown_periods import Drawdown, deepest_drawdowns
from research.result import BacktestResult
from research.statistics.capacity import estimate_capacity
from research.statistics.costs import scale_costs
from research.statistics.measures import Measures, measure


@dataclass(frozen=True)
class Statistics:
    """What a report says of one backtest.

    Attributes:
        measures: Return, risk, relation to the benchmark, trading and its cost.
        moments: Of the daily returns; None when those have no Sharpe ratio.
        sharpe_error: Standard error of the Sharpe ratio, per session; None without one.
        above_zero: The probability that the true Sharpe ratio is above zero if this is the only trial.
        deflated: The same in the light of all trials.
        trials_of_strategy: How many of the trials are of the same strategy.
        overfitting: The probability of backtest overfitting; None with fewer than two trials in the same sessions.
        drawdowns: The deepest, deepest first.
        costs: The result at other costs.
        capacity: The result at other capitals.
        years: Returns by month and year.
    """

    measures: Measures
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


def summarize(result: BacktestResult, selection: Selection) -> Statistics:
    """All statistics of a result.

    Args:
        result: The backtest.
        selection: The trials it was selected from; the count cannot be left out.
    """
    moments = summarize_moments(result.returns)
    return Statistics(
        measures=measure(result),
        moments=moments,
        sharpe_error=None if moments is None else sharpe_standard_error(moments),
        above_zero=None if moments is None else probabilistic_sharpe_ratio(moments),
        deflated=deflate_sharpe(moments, max(selection.trials, 1), selection.sharpes),
        trials_of_strategy=selection.of_strategy,
        overfitting=estimate_overfitting(selection.returns) if selection.returns.size else None,
        drawdowns=deepest_drawdowns(result.days, result.net_asset_value),
        costs=scale_costs(result, selection.at_other_costs),
        capacity=estimate_capacity(result, selection.at_other_capitals),
        years=returns_by_month(result.days[1:], result.returns),
    )
