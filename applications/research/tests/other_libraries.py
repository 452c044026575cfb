# empyrical, ffn and scipy have no types:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""Figures of returns as empyrical-reloaded, ffn, numpy and scipy compute them; they take seconds to import."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np


def empyrical_figures(returns: np.ndarray, market: np.ndarray) -> dict[str, float]:
    """The figures under the names that they have here."""
    import empyrical  # noqa: PLC0415 - one worker compares, all collect

    beta, alpha = empyrical.beta(returns, market), empyrical.alpha(returns, market)
    figures: dict[str, Any] = {
        "total_return": empyrical.cum_returns_final(returns),
        "annualised_return": empyrical.annual_return(returns),
        "volatility": empyrical.annual_volatility(returns),
        "sharpe": empyrical.sharpe_ratio(returns),
        "sortino": empyrical.sortino_ratio(returns),
        "maximum_drawdown": -empyrical.max_drawdown(returns),
        "beta": beta,
        "alpha": ((1 + alpha) ** (1 / 252) - 1) * 252,  # empyrical compounds the daily intercept
    }
    return {name: float(value) for name, value in figures.items()}


def ffn_drawdowns(days: Sequence[date], values: np.ndarray) -> dict[date, float]:
    """The depth of each drawdown by its first session below the peak."""
    import ffn  # noqa: PLC0415 - one worker compares, all collect
    import pandas as pd  # noqa: PLC0415 - one worker compares, all collect

    prices = pd.Series(values, index=pd.DatetimeIndex(list(days)))
    details: Any = ffn.drawdown_details(ffn.to_drawdown_series(prices))
    return {row.Start.date(): -float(row.drawdown) for row in details.itertuples()}


def regression_line(market: np.ndarray, returns: np.ndarray) -> tuple[float, float]:
    """Slope and intercept of numpy's least squares line."""
    slope, intercept = np.polyfit(market, returns, 1)
    return float(slope), float(intercept)


def scipy_skewness_and_kurtosis(returns: np.ndarray) -> tuple[float, float]:
    """The third and fourth standardised moments."""
    from scipy import stats  # noqa: PLC0415 - one worker compares, all collect

    return float(stats.skew(returns)), float(stats.kurtosis(returns, fisher=False))


def scipy_ranks(values: np.ndarray) -> list[float]:
    """Ranks from 1, mean ones for equal values."""
    from scipy import stats  # noqa: PLC0415 - one worker compares, all collect

    return np.asarray(stats.rankdata(values)).tolist()


def probability_of_uniform(values: Sequence[float]) -> float:
    """The p-value of the Kolmogorov-Smirnov test that values are drawn uniformly from 0 to 1."""
    from scipy import stats  # noqa: PLC0415 - one worker compares, all collect

    return float(stats.kstest(values, "uniform").pvalue)
