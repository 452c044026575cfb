"""Gating: the gated residual network and the gated skip connection, sections 4.1 and 4.5 of arXiv 1912.09363.

They let the model skip what it does not need. They know shapes, and nothing of what stands before or after them.
"""

import numpy as np
from tinygrad import Tensor

from internal.kernels.dropout import Dropout
from internal.kernels.gate import gate, gate_layout
from internal.kernels.gated_residual import GatedResidualSizes, gated_residual


class GatedResidualNetwork:
    """GRN(a, c) = LayerNorm(a + GLU(W1 ELU(W2 a + W3 c + b2) + b1)), equations 2-5, `groups` of them side by side."""

    def __init__(self, sizes: GatedResidualSizes, dropout: Dropout, random: np.random.Generator) -> None:
        self.sizes = sizes
        self.parameters = sizes.layout.initialise(random)
        self._dropout = dropout

    def __call__(self, a: Tensor, context: Tensor | None = None) -> Tensor:
        """Apply: a [row, group, input], context [row / n, context] -> [row, group, output]."""
        return gated_residual(a, context, self.parameters, self.sizes, self._dropout.control)


class GatedSkip:
    """LayerNorm(skip + GLU(x)), equations 17, 20 and 22."""

    def __init__(self, hidden: int, site: int, dropout: Dropout, random: np.random.Generator) -> None:
        self.layout = gate_layout(hidden)
        self.parameters = self.layout.initialise(random)
        self._site, self._dropout = site, dropout

    def __call__(self, x: Tensor, skip: Tensor) -> Tensor:
        """Add: x and skip [row, hidden] -> [row, hidden]."""
        return gate(x, skip, self.parameters, self._dropout.control, self._site)
