"""The quantile loss, equations 24 and 25 of arXiv 1912.09363, in tinygrad; for arrays see `internal.forecasting`."""
# tinygrad exports its names without __all__
# pyright: reportPrivateImportUsage=false

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
