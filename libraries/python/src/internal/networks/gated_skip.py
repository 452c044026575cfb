"""The gated skip connection that closes each block, equations 17, 20 and 22 of arXiv 1912.09363."""
# tinygrad exports its names without __all__ and annotates its methods in part
# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false

import numpy as np
from tinygrad import Tensor

from internal.kernels.gate import gate_kernel
from internal.kernels.launch import launch
from internal.kernels.layout import Layout, Matrix
from internal.networks.dropout import Dropout, drop
from internal.networks.gated_residual import gated_linear_unit, layer_norm


def gated_skip_layout(hidden: int) -> Layout:
    """The parameters: W5 and W4 of equation 5 as two blocks, and the norm's scale and shift."""
    return Layout(
        (
            ("gate_weight", Matrix(hidden, hidden, 2)),
            ("gate_bias", Matrix(1, hidden, 2, "zeros")),
            ("scale", Matrix(1, hidden, 1, "ones")),
            ("shift", Matrix(1, hidden, 1, "zeros")),
        )
    )


def add_gated(x: Tensor, skip: Tensor, parameters: Tensor, control: Tensor, site: int) -> Tensor:
    """Compute LayerNorm(skip + GLU(dropout(x))): f32 [row, hidden] twice -> f32 [row, hidden]."""
    rows, hidden = (int(size) for size in x.shape)
    layout = gated_skip_layout(hidden)
    kernel = gate_kernel(layout, rows, site)
    if kernel.runs_on(x.device):
        return launch(kernel, (rows, hidden), [x, skip, parameters], control)[0]

    weight, bias = (layout.view(parameters, name)[0].reshape(-1, 2 * hidden) for name in ("gate_weight", "gate_bias"))
    scale, shift = (layout.view(parameters, name).reshape(hidden) for name in ("scale", "shift"))
    gates = drop(x, control, site) @ weight + bias  # [row, 2 * hidden]
    return layer_norm(skip + gated_linear_unit(gates), scale, shift)


class GatedSkip:
    """LayerNorm(skip + GLU(x))."""

    def __init__(self, hidden: int, site: int, dropout: Dropout, random: np.random.Generator) -> None:
        self.layout = gated_skip_layout(hidden)
        self.parameters = self.layout.initialise(random)
        self._site, self._dropout = site, dropout

    def __call__(self, x: Tensor, skip: Tensor) -> Tensor:
        """Add: x and skip [row, hidden] -> [row, hidden]."""
        return add_gated(x, skip, self.parameters, self._dropout.control, self._site)
