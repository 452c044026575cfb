"""What a strategy would have returned at other costs, to first order: the booked costs are scaled, its trades stay."""

from collections.abc import Mapping
from typing import Final

from internal.backtests.daily_returns import Series
from internal.backtests.report_rows import Basis, CostScenario
from internal.performance import annualised_return, sharpe_ratio
from research.result import BacktestResult
from research.statistics.estimates import UNDEFINED, Bootstrap
from research.statistics.figures import yearly

MULTIPLES: Final = (0.0, 0.5, 1.0, 2.0)


def scale_costs(result: BacktestResult, runs: Mapping[float, Series]) -> tuple[CostScenario, ...]:
    """The result at 0, 0.5, 1 and 2 times the venue's costs, and at every other multiple that was run.

    Args:
        result: A run with any multiple; the booked costs of one without costs cannot be scaled.
        runs: Returns, f64 [session - 1], by multiple where it was run; they take the place of scaled costs.
    """
    bootstrap = Bootstrap.draw(len(result.returns))
    multiples = sorted({*MULTIPLES, *runs, result.settings.cost_multiple})
    return tuple(_scenario(result, multiple, runs.get(multiple), bootstrap) for multiple in multiples)


def _scenario(result: BacktestResult, multiple: float, run: Series | None, bootstrap: Bootstrap) -> CostScenario:
    if multiple == result.settings.cost_multiple:
        returns, basis = result.returns, Basis.BOOKED
    elif run is not None:
        returns, basis = run, Basis.RUN_AGAIN
    elif result.settings.cost_multiple > 0:
        returns, basis = returns_at(result, multiple), Basis.FIRST_ORDER
    else:
        return CostScenario(multiple, UNDEFINED, UNDEFINED, Basis.FIRST_ORDER)
    return CostScenario(
        multiple,
        bootstrap.estimate(yearly(annualised_return), returns),
        bootstrap.estimate(yearly(sharpe_ratio), returns),
        basis,
    )


def returns_at(result: BacktestResult, multiple: float) -> Series:
    """The returns with the booked impact, fees and borrow scaled to a multiple of the venue's, f64 [session - 1].

    Overnight drift is no charge and stays. A first-order figure: orders, sizes and refusals would have changed too.
    """
    cost = result.fractions_of_value(result.impact + result.fees + result.borrow)
    return result.returns - (multiple / result.settings.cost_multiple - 1) * cost
