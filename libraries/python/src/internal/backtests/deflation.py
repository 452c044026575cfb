"""The deflated Sharpe ratio: the best of many trials has to be better than the best of as many without any skill."""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from internal.backtests.daily_returns import Series
from internal.backtests.moments import Moments, probabilistic_sharpe_ratio

EULER_MASCHERONI: Final = 0.5772156649015329


@dataclass(frozen=True)
class DeflatedSharpe:
    """A Sharpe ratio in the light of the trials it was chosen from.

    Attributes:
        trials: How many there were, failed ones included.
        deviation: Standard deviation of the trials' Sharpe ratios, per session.
        threshold: The Sharpe ratio, per session, that the best of as many trials without skill is expected to have.
        probability: The deflated Sharpe ratio: the probability that the true ratio is above the threshold; None when
            the returns have no ratio.
    """

    trials: int
    deviation: float
    threshold: float
    probability: float | None


def deflate_sharpe(moments: Moments | None, trials: int, sharpes: Series) -> DeflatedSharpe:
    """The deflated Sharpe ratio (Bailey, Lopez de Prado 2014, "The deflated Sharpe ratio").

    DSR = Phi((S - S0) sqrt(n - 1) / sqrt(1 - skewness S + (kurtosis - 1) / 4 S^2)), where
    S0 = sqrt(V) ((1 - g) PhiInverse(1 - 1/N) + g PhiInverse(1 - 1/(N e))), g the Euler-Mascheroni constant, N the
    number of trials and V the variance of their Sharpe ratios.

    Args:
        moments: Of the returns that are judged; None when they have no Sharpe ratio.
        trials: N: every trial counts, whether or not it finished; at least one.
        sharpes: Of the finished trials, per session, f64 [trial]. Below two the variance is that of a Sharpe ratio
            without skill, 1 / (n - 1).
    """
    deviation = _deviation(moments, sharpes)
    threshold = deviation * expected_maximum(trials)
    probability = None if moments is None else probabilistic_sharpe_ratio(moments, threshold)
    return DeflatedSharpe(trials, deviation, threshold, probability)


def _deviation(moments: Moments | None, sharpes: Series) -> float:
    if len(sharpes) > 1:
        return float(np.std(sharpes, ddof=1))
    return 0.0 if moments is None else float((moments.returns - 1) ** -0.5)


def expected_maximum(count: int) -> float:
    """The expected largest of `count` independent standard normal draws, as the paper approximates it; 0 of one."""
    if count <= 1:
        return 0.0
    inverse = NormalDist().inv_cdf
    return (1 - EULER_MASCHERONI) * inverse(1 - 1 / count) + EULER_MASCHERONI * inverse(1 - 1 / (count * math.e))
