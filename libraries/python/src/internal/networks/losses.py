"""The quantile loss, equations 24 and 25 of arXiv 1912.09363, in tinygrad and in NumPy.

It knows predictions and what happened; it knows no units.
"""

import numpy as np
from tinygrad import Tensor


def quantile_loss(predicted: Tensor, target: Tensor, quantiles: tuple[float, ...]) -> Tensor:
    """Mean over batch, horizon and quantile of q (y - p) above the prediction and (1 - q) (p - y) below: f32 [].

    The paper sums over quantiles; the mean differs by a constant factor and compares across sets of quantiles.

    Args:
        predicted: [batch, horizon, quantile].
        target: [batch, horizon].
        quantiles: each in (0, 1).
    """
    error = target.unsqueeze(-1) - predicted
    levels = Tensor(list(quantiles), device=predicted.device)
    return (levels * error).maximum((levels - 1.0) * error).mean()


def pinball_loss(predicted: np.ndarray, target: np.ndarray, quantiles: tuple[float, ...]) -> float:
    """`quantile_loss` in float64 NumPy, for validation and evaluation."""
    error = target[..., None].astype(np.float64) - predicted.astype(np.float64)
    levels = np.array(quantiles)
    return float(np.maximum(levels * error, (levels - 1.0) * error).mean())
