"""Exposure, drawdown, return and risk of a portfolio: one definition for every part of the fund that reports them.

The yearly figures take returns along the last axis, so that one call computes them for every draw of a bootstrap. Where
a figure is not defined, because the returns do not vary or are fewer than two, it is NaN.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

SESSIONS_A_YEAR: Final = 252
MINIMUM_RETURNS_FOR_A_YEAR: Final = 40  # four of the bootstrap's blocks; with fewer a yearly figure is noise
ROUNDING: Final = 1e-7  # returns that differ by less differ by rounding alone: a cent of 100,000 dollars

type Numbers = NDArray[np.float64]


def gross_exposure(long_market_value: float, short_market_value: float, net_asset_value: float) -> float:
    """Long plus short market value over net asset value; 0 without one.

    Args:
        long_market_value: Dollars, 0 or more.
        short_market_value: Dollars, 0 or less, as the broker reports it.
        net_asset_value: Dollars.
    """
    return (long_market_value - short_market_value) / net_asset_value if net_asset_value else 0.0


def net_exposure(long_market_value: float, short_market_value: float, net_asset_value: float) -> float:
    """Long minus short market value over net asset value; 0 without one. Arguments as in `gross_exposure`."""
    return (long_market_value + short_market_value) / net_asset_value if net_asset_value else 0.0


def drawdowns(values: Numbers) -> Numbers:
    """How far each value, f64 [..., time], is below the highest one so far, as a positive fraction of that one."""
    peaks: Numbers = np.maximum.accumulate(values, axis=-1)
    return 1 - values / peaks


def maximum_drawdown(values: Numbers) -> float:
    """The largest fall of values, f64 [time], from an earlier peak, as a fraction of that peak; 0 without a value."""
    return float(drawdowns(values).max(initial=0.0))


def returns_of(values: Numbers) -> Numbers:
    """The returns from each value, f64 [time], to the next, f64 [time - 1]; NaN after a value of zero or below."""
    before, after = values[:-1], values[1:]
    return np.divide(after, before, out=np.full(len(before), np.nan), where=before > 0) - 1


def annualised_return(returns: Numbers) -> Numbers:
    """The returns, f64 [..., session], compounded to 252 sessions; -1 where they lost everything."""
    if not returns.shape[-1]:
        return np.full(returns.shape[:-1], np.nan)
    growth: Numbers = np.maximum(np.prod(1 + returns, axis=-1), 0.0)
    return np.power(growth, SESSIONS_A_YEAR / returns.shape[-1]) - 1


def annualised_volatility(returns: Numbers) -> Numbers:
    """The sample standard deviation of returns, f64 [..., session], times the square root of 252."""
    return standard_deviation(returns) * np.sqrt(SESSIONS_A_YEAR)


def sharpe_ratio(returns: Numbers) -> Numbers:
    """Mean over standard deviation of returns, f64 [..., session], times the square root of 252 (Sharpe 1994).

    The risk-free rate is zero.
    """
    deviation = standard_deviation(returns)
    mean = returns.mean(axis=-1) if returns.shape[-1] else deviation
    return np.divide(mean, deviation, out=np.full_like(deviation, np.nan), where=deviation > 0) * SESSIONS_A_YEAR**0.5


def beta(returns: Numbers, market: Numbers) -> Numbers:
    """Covariance of returns, f64 [..., session], with the market's over the market's variance."""
    variance = standard_deviation(market) ** 2
    if returns.shape[-1] < 2:  # noqa: PLR2004 - a covariance needs two returns
        return np.full_like(variance, np.nan)
    own, other = (series - series.mean(axis=-1, keepdims=True) for series in (returns, market))
    covariance = (own * other).sum(axis=-1) / (returns.shape[-1] - 1)
    return np.divide(covariance, variance, out=np.full_like(variance, np.nan), where=variance > 0)


def annualised_turnover(dollars_a_session: Numbers | float, net_asset_value: Numbers | float) -> Numbers | float:
    """Half the dollars traded a session, both sides, over the mean net asset value, times 252: one-way, a year."""
    return dollars_a_session / 2 / net_asset_value * SESSIONS_A_YEAR


def standard_deviation(returns: Numbers) -> Numbers:
    """The sample standard deviation of returns, f64 [..., session]; exactly 0 where they differ by rounding alone."""
    if returns.shape[-1] < 2:  # noqa: PLR2004 - a deviation needs two returns
        return np.full(returns.shape[:-1], np.nan)
    deviation = np.asarray(returns.std(axis=-1, ddof=1))
    return np.where(deviation > ROUNDING, deviation, np.where(np.isnan(deviation), np.nan, 0.0))
