"""Weights within a side, around the equal weight."""

import numpy as np

from internal.trading.arrays import FloatArray


def equal_weights(count: int) -> FloatArray:
    """[count] ones."""
    return np.ones(count)


def inverse_volatility_weights(volatility: FloatArray, spread: float) -> FloatArray:
    """One over volatility; one that is not known gets the equal weight."""
    return bounded_weights(1 / volatility, spread)


def bounded_weights(raw: FloatArray, spread: float) -> FloatArray:
    """Positive weights with a mean of 1, each between 1 / spread and spread before they are scaled to it.

    A weight that is not finite is 1.
    """
    if not len(raw):
        return raw
    known = np.isfinite(raw)
    relative = np.where(known, raw / raw[known].mean(), 1.0) if known.any() else np.ones(len(raw))
    bounded = np.clip(relative, 1 / spread, spread)
    return bounded / bounded.mean()
