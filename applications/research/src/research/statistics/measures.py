"""The figures of a backtest with their intervals: return, risk, relation to the benchmark, trading and its cost."""

from dataclasses import dataclass

from internal.backtests.daily_returns import Series
from internal.backtests.report_rows import Estimate
from internal.performance import annualised_return, annualised_volatility, beta, returns_of, sharpe_ratio
from research.result import BacktestResult
from research.statistics.estimates import Bootstrap
from research.statistics.figures import (
    annualised_alpha,
    deepest_drawdown,
    fraction_a_year,
    hit_rate,
    mean,
    sortino_ratio,
    total_return,
    turnover,
    yearly,
)


@dataclass(frozen=True)
class Measures:
    """The figures of one backtest; a yearly one is undefined below 40 returns.

    Attributes:
        total_return: Last over first net asset value, minus 1; a fraction.
        annualised_return: Compounded to 252 sessions; a fraction.
        volatility: Standard deviation of daily returns times the square root of 252; a fraction.
        sharpe: Annualised, over a risk-free rate of zero.
        sortino: As `sharpe`, with the root mean square of the negative returns as the risk.
        maximum_drawdown: The deepest fall below an earlier peak, a positive fraction of it.
        hit_rate: The share of sessions with a gain among those with a gain or a loss.
        beta: To the benchmark.
        alpha: Mean daily return less beta times the benchmark's, times 252; a fraction.
        turnover: Half the dollars traded over the mean net asset value, a year.
        gross_exposure: Mean, as a multiple of net asset value.
        net_exposure: The same, longs less shorts.
        cost: What the venue charged in all, impact, fees and borrow: a fraction of the mean net asset value, a year.
        impact: Spread and market impact, as a fraction of the mean net asset value, a year.
        overnight_drift: What the move from the decision's close to the auction cost, same unit; timing, not a charge.
        fees: Regulators' fees, same unit.
        borrow: The cost of borrowed shares, same unit.
    """

    total_return: Estimate
    annualised_return: Estimate
    volatility: Estimate
    sharpe: Estimate
    sortino: Estimate
    maximum_drawdown: Estimate
    hit_rate: Estimate
    beta: Estimate
    alpha: Estimate
    turnover: Estimate
    gross_exposure: Estimate
    net_exposure: Estimate
    cost: Estimate
    impact: Estimate
    overnight_drift: Estimate
    fees: Estimate
    borrow: Estimate


def measure(result: BacktestResult) -> Measures:
    """The figures of a result. The opening session, in which nothing is traded, counts in none of them."""
    returns, market, value = result.returns, returns_of(result.benchmark.values), result.net_asset_value[1:]
    bootstrap = Bootstrap.draw(len(returns))
    estimate = bootstrap.estimate

    def cost(dollars: Series) -> Estimate:
        return estimate(yearly(fraction_a_year), dollars[1:], value)

    return Measures(
        total_return=estimate(total_return, returns),
        annualised_return=estimate(yearly(annualised_return), returns),
        volatility=estimate(yearly(annualised_volatility), returns),
        sharpe=estimate(yearly(sharpe_ratio), returns),
        sortino=estimate(yearly(sortino_ratio), returns),
        maximum_drawdown=estimate(deepest_drawdown, returns),
        hit_rate=estimate(hit_rate, returns),
        beta=estimate(yearly(beta), returns, market),
        alpha=estimate(yearly(annualised_alpha), returns, market),
        turnover=estimate(yearly(turnover), result.traded_dollars[1:], value),
        gross_exposure=estimate(mean, result.gross_exposure[1:]),
        net_exposure=estimate(mean, result.net_exposure[1:]),
        cost=cost(result.impact + result.fees + result.borrow),
        impact=cost(result.impact),
        overnight_drift=cost(result.overnight_drift),
        fees=cost(result.fees),
        borrow=cost(result.borrow),
    )
