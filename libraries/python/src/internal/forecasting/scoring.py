"""The pinball loss of quantile forecasts, in the forms that NumPy arrays and Polars frames ask for.

The network's training loss is the same equation in tinygrad (`internal.networks.losses`); tests compare the three.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from internal.forecasting.quantiles import QUANTILES


def pinball_loss(truth: np.ndarray, forecast: np.ndarray, levels: Sequence[float] = QUANTILES) -> np.ndarray:
    """Compute the pinball loss q (y - p) above the forecast and (1 - q) (p - y) below (Koenker and Bassett 1978).

    Args:
        truth: f64 [.., step].
        forecast: f64 [.., step, quantile].
        levels: The quantiles' levels, each in (0, 1).

    Returns:
        f64 [.., step, quantile], not averaged.
    """
    error, level = truth[..., None] - forecast, np.array(levels)
    return np.asarray(np.maximum(level * error, (level - 1) * error))


def pinball_expression(truth: pl.Expr, forecast: pl.Expr, level: float) -> pl.Expr:
    """Build `pinball_loss` of one quantile as a Polars expression, row by row."""
    error = truth - forecast
    return pl.max_horizontal(level * error, (level - 1) * error)
