"""Covariance and betas from a window of bars: a few statistical factors, and what is left of each name's variance."""

from dataclasses import dataclass

import numpy as np

from internal.trading.arrays import FloatArray, IntArray
from internal.trading.day_inputs import BarHistory

FACTORS = 10  # statistical factors: the market, the sectors that move together, and little noise
SMALLEST_VARIANCE = 1e-8  # of a session: a name that never moved is not free of risk
FEWEST_RETURNS = 60  # sessions; fewer say too little about how names move together


@dataclass(frozen=True, slots=True)
class RiskModel:
    """How n names move together, per session.

    Attributes:
        loadings: [n, k] of k factors with variance 1.
        specific: [n] variances of what the factors leave, above 0.
        betas: [n] on the mean return of all names with a bar, the equal-weight universe.
    """

    loadings: FloatArray
    specific: FloatArray
    betas: FloatArray

    @property
    def covariance(self) -> FloatArray:
        """[n, n] of returns a session."""
        return self.loadings @ self.loadings.T + np.diag(self.specific)

    @property
    def volatility(self) -> FloatArray:
        """[n] a session."""
        return np.sqrt((self.loadings**2).sum(axis=1) + self.specific)


def daily_returns(bars: BarHistory) -> FloatArray:
    """[T - 1, N] simple returns between sessions; 0 where one of the two has no bar."""
    change = bars.close[1:] / bars.close[:-1] - 1
    return np.where(np.isfinite(change), change, 0.0)


def estimate_risk(bars: BarHistory, places: IntArray) -> RiskModel:
    """The model of the names at the places: principal components of their returns, as in Connor and Korajczyk (1988).

    The components are those of the sample; shrinking all that they leave to a diagonal is what makes the covariance of
    more names than sessions invertible.
    """
    returns = daily_returns(bars)
    market = returns.mean(axis=1)
    own = returns[:, places]
    centered, market = own - own.mean(axis=0), market - market.mean()
    _, values, vectors = np.linalg.svd(centered, full_matrices=False)
    count = min(FACTORS, len(values))
    loadings = vectors[:count].T * values[:count] / np.sqrt(len(own) - 1)
    variance = (centered**2).sum(axis=0) / (len(own) - 1)
    specific = np.maximum(variance - (loadings**2).sum(axis=1), SMALLEST_VARIANCE)
    scale = float(market @ market)
    betas = market @ centered / scale if scale > 0 else np.zeros(len(places))
    return RiskModel(loadings, specific, betas)
