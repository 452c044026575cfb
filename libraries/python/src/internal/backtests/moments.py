"""The Sharpe ratio of returns with its standard error, and the probability that the true one is above a threshold."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from internal.backtests.daily_returns import Series
from internal.performance import SESSIONS_A_YEAR, sharpe_ratio


@dataclass(frozen=True)
class Moments:
    """What the error of a Sharpe ratio depends on; per session, not per year.

    Attributes:
        returns: How many there are, at least two.
        sharpe: Mean over sample standard deviation.
        skewness: Third standardised moment; 0 for a normal distribution.
        kurtosis: Fourth standardised moment; 3 for a normal distribution.
    """

    returns: int
    sharpe: float
    skewness: float
    kurtosis: float


def summarize_moments(returns: Series) -> Moments | None:
    """The moments of returns, f64 [session]; None when they do not vary, are fewer than two, or one is not finite."""
    sharpe = float(sharpe_ratio(returns)) / SESSIONS_A_YEAR**0.5 if np.isfinite(returns).all() else np.nan
    if np.isnan(sharpe):
        return None
    standardised = (returns - returns.mean()) / returns.std()
    return Moments(len(returns), sharpe, float((standardised**3).mean()), float((standardised**4).mean()))


def sharpe_standard_error(moments: Moments) -> float:
    """The standard error of the Sharpe ratio of independent returns, per session.

    sqrt((1 - skewness S + (kurtosis - 1) / 4 S^2) / (n - 1)), which is sqrt((1 + S^2 / 2) / (n - 1)) for normal returns
    (Lo 2002, "The statistics of Sharpe ratios"; Mertens 2002 for other distributions).
    """
    sharpe = moments.sharpe
    variance = 1 - moments.skewness * sharpe + (moments.kurtosis - 1) / 4 * sharpe**2
    return float((max(variance, 0.0) / (moments.returns - 1)) ** 0.5)


def probabilistic_sharpe_ratio(moments: Moments, threshold: float = 0.0) -> float:
    """The probability that the true Sharpe ratio is above a threshold, both per session.

    Phi((S - threshold) / standard error), Phi the normal distribution function (Bailey, Lopez de Prado 2012, "The
    Sharpe ratio efficient frontier").
    """
    error, distance = sharpe_standard_error(moments), moments.sharpe - threshold
    return NormalDist().cdf(distance / error) if error > 0 else float(distance > 0)
