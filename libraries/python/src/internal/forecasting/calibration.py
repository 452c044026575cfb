"""Calibration: standardised quantiles, moved and widened by step until they have the coverage that they claim.

Quantiles and truths are in units of volatility x sqrt(step). The method is split conformal prediction with the
interval's own half-widths as the scale (Romano et al. 2019, asymmetric), pooled over tickers and dates; it does not
adapt over time.
"""

from dataclasses import dataclass

import numpy as np

from internal.errors import ArtifactError

LOWER, MEDIAN, UPPER = 0, 1, 2
TAIL = 0.1
NARROWEST = 1e-6


@dataclass(frozen=True)
class Calibration:
    """Three numbers a step: how far the median moves, and what each half of the interval is multiplied by.

    Attributes:
        values: f64 [3, step]: median's shift, lower factor, upper factor.
    """

    values: np.ndarray

    @classmethod
    def none(cls, horizon: int) -> "Calibration":
        """Change nothing."""
        return cls(np.stack([np.zeros(horizon), np.ones(horizon), np.ones(horizon)]))

    @classmethod
    def fit(cls, quantiles: np.ndarray, truth: np.ndarray) -> "Calibration":
        """Find the numbers with which half the truths lie below the median and a tenth beyond each end.

        Args:
            quantiles: f64 [n, step, 3], ordered.
            truth: f64 [n, step], of sessions inside the training and validation blocks.
        """
        shift = np.median(truth - quantiles[..., MEDIAN], axis=0)
        median = quantiles[..., MEDIAN] + shift
        below = (median - truth) / np.maximum(quantiles[..., MEDIAN] - quantiles[..., LOWER], NARROWEST)
        above = (truth - median) / np.maximum(quantiles[..., UPPER] - quantiles[..., MEDIAN], NARROWEST)
        factors = (np.maximum(np.quantile(side, 1 - TAIL, axis=0), NARROWEST) for side in (below, above))
        return cls(np.stack([shift, *factors]))

    def apply(self, quantiles: np.ndarray) -> np.ndarray:
        """Calibrated quantiles, f64 [n, step, 3]; ordered because the factors are positive."""
        shift, lower, upper = self.values
        median = quantiles[..., MEDIAN] + shift
        low = median - lower * (quantiles[..., MEDIAN] - quantiles[..., LOWER])
        high = median + upper * (quantiles[..., UPPER] - quantiles[..., MEDIAN])
        return np.stack([low, median, high], axis=-1)

    @classmethod
    def restore(cls, values: np.ndarray | None, horizon: int) -> "Calibration":
        """Take the values from an artifact. Raises ArtifactError when they are missing or make no interval."""
        if values is None or values.shape != (3, horizon) or not np.isfinite(values).all() or (values[1:] <= 0).any():
            raise ArtifactError("the artifact's calibration is missing or makes no interval: train again")
        return cls(values)
