"""The quantile outputs, equation 23 of arXiv 1912.09363, built so that they cannot cross.

The middle quantile is a linear map; each of the others adds or subtracts a softplus step from its neighbour.
"""
# tinygrad exports its names without __all__ and annotates its methods in part
# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false

import numpy as np
from tinygrad import Tensor

from internal.kernels.layout import Layout, Matrix


class QuantileHead:
    """x [.., hidden] -> [.., quantile], never decreasing along the last axis."""

    def __init__(self, hidden: int, quantiles: tuple[float, ...], random: np.random.Generator) -> None:
        count = len(quantiles)
        self.layout = Layout((("weight", Matrix(hidden, count)), ("bias", Matrix(1, count, 1, "zeros"))))
        self.parameters = self.layout.initialise(random)
        self._middle = int(np.argmin(np.abs(np.array(quantiles) - 0.5)))

    def __call__(self, x: Tensor) -> Tensor:
        """Predict: [.., quantile], in the order of the quantiles."""
        # Gradients are stored at each of these: fused into the padded vector's, the loss was derived again for each
        # weight, and every place, padding included, was summed once as a weight and once as a bias.
        views = (self.layout.view(self.parameters, name)[0, :, 0] for name in ("weight", "bias"))
        weight, bias = (view.contiguous_backward() for view in views)
        raw, middle = (x @ weight + bias).contiguous_backward(), self._middle
        steps, median = raw.softplus(), raw[..., middle : middle + 1]
        columns = [median]
        for lower in range(middle - 1, -1, -1):
            columns.insert(0, columns[0] - steps[..., lower : lower + 1])
        for upper in range(middle + 1, raw.shape[-1]):
            columns.append(columns[-1] + steps[..., upper : upper + 1])
        return Tensor.cat(*columns, dim=-1)
