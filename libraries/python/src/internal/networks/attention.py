"""Interpretable multi-head attention, section 4.4 of arXiv 1912.09363: heads share their values.

It knows steps in order and that none may look ahead.
"""

import numpy as np
from tinygrad import Tensor

from internal.kernels.attention import AttentionSizes, attention, attention_weights
from internal.kernels.dropout import Dropout


class InterpretableAttention:
    """Only the last `queries` steps ask; every step up to their own may answer."""

    def __init__(self, sizes: AttentionSizes, dropout: Dropout, random: np.random.Generator) -> None:
        self.sizes = sizes
        self.parameters = sizes.layout.initialise(random)
        self._dropout = dropout

    def __call__(self, x: Tensor) -> Tensor:
        """Attend: x [batch, step, hidden] -> [batch, query, hidden]."""
        return attention(x, self.parameters, self.sizes, self._dropout.control)

    def weights(self, x: Tensor) -> Tensor:
        """How much each query looks at each step, averaged over heads: [batch, query, step], rows sum to one."""
        return attention_weights(x, self.parameters, self.sizes).mean(1)
