"""Means of overlapping observations, with errors that account for the overlap."""

from dataclasses import dataclass
from math import nan, sqrt

import numpy as np

from internal.trading.arrays import FloatArray

FEWEST = 2  # observations without which an error is not defined


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its standard error; NaN where it is not defined.

    `count` is the number of observations, which overlap: the error accounts for that.
    """

    mean: float
    standard_error: float
    count: int

    @property
    def t_statistic(self) -> float:
        """Mean over its error."""
        return self.mean / self.standard_error if self.standard_error > 0 else nan


def estimate_mean(values: FloatArray, overlap: int) -> Estimate:
    """The mean of a series [S], NaN left out, with the error of Newey and West (1987).

    overlap: sessions after the first that an observation shares with later ones: horizon - 1. The lags are that many,
    or Newey and West's automatic 4 (S / 100) ** (2 / 9) where it is more, with Bartlett weights.
    """
    known = values[np.isfinite(values)]
    count = len(known)
    if count < FEWEST:
        return Estimate(float(known.mean()) if count else nan, nan, count)
    deviation = known - known.mean()
    lags = min(max(overlap, int(4 * (count / 100) ** (2 / 9))), count - 1)
    variance = float(deviation @ deviation) / count
    for lag in range(1, lags + 1):
        weight = 1 - lag / (lags + 1)
        variance += 2 * weight * float(deviation[lag:] @ deviation[:-lag]) / count
    return Estimate(float(known.mean()), sqrt(max(variance, 0.0) / count), count)
