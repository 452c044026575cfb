"""Figures of returns and dollars, f64 [..., session], over the last axis; NaN where a figure is not defined.

Those that every part of the fund reports are in `internal.performance`.
"""

from collections.abc import Callable

import numpy as np

from internal.backtests.daily_returns import Series
from internal.performance import (
    MINIMUM_RETURNS_FOR_A_YEAR,
    ROUNDING,
    SESSIONS_A_YEAR,
    annualised_turnover,
    beta,
    drawdowns,
)


def yearly(figure: Callable[..., Series]) -> Callable[..., Series]:
    """The figure, undefined below 40 returns: with fewer a yearly figure is noise."""

    def compute(*series: Series) -> Series:
        enough = series[0].shape[-1] >= MINIMUM_RETURNS_FOR_A_YEAR
        return figure(*series) if enough else np.full(series[0].shape[:-1], np.nan)

    return compute


def total_return(returns: Series) -> Series:
    """The returns, compounded."""
    return np.prod(1 + returns, axis=-1) - 1


def sortino_ratio(returns: Series) -> Series:
    """Mean over the root mean square of the negative returns, times the square root of 252 (Sortino, Price 1994)."""
    downside = np.sqrt((np.minimum(returns, 0.0) ** 2).mean(axis=-1))
    return _divide(returns.mean(axis=-1), downside) * SESSIONS_A_YEAR**0.5


def deepest_drawdown(returns: Series) -> Series:
    """The deepest fall of the compounded returns below an earlier peak, their start included; a positive fraction."""
    start = np.ones((*returns.shape[:-1], 1))
    return drawdowns(np.cumprod(np.concatenate([start, 1 + returns], axis=-1), axis=-1)).max(axis=-1)


def hit_rate(returns: Series) -> Series:
    """The share of gains among the returns that are not zero."""
    gains, moves = returns > 0, returns != 0
    return _divide(mean(gains.astype(np.float64)), mean(moves.astype(np.float64)))


def annualised_alpha(returns: Series, market: Series) -> Series:
    """Mean return less beta times the market's mean return, times 252 (Jensen 1968, without a risk-free rate)."""
    return (returns.mean(axis=-1) - beta(returns, market) * market.mean(axis=-1)) * SESSIONS_A_YEAR


def turnover(traded_dollars: Series, net_asset_value: Series) -> Series:
    """One-way turnover a year, as a multiple of the mean net asset value."""
    return np.asarray(annualised_turnover(mean(traded_dollars), mean(net_asset_value)))


def fraction_a_year(dollars: Series, net_asset_value: Series) -> Series:
    """Dollars a year as a fraction of the mean net asset value."""
    return _divide(mean(dollars), mean(net_asset_value)) * SESSIONS_A_YEAR


def mean(series: Series) -> Series:
    """The mean."""
    return np.asarray(series.mean(axis=-1))


def _divide(above: Series, below: Series) -> Series:
    quotient = np.full(np.shape(below), np.nan)
    return np.divide(above, below, out=quotient, where=np.abs(below) > ROUNDING)
