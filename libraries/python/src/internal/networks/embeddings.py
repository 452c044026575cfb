"""Embeddings: a vector for each real number and for each category, section 4.2 of arXiv 1912.09363.

It knows how many variables there are and how large each vocabulary is; it knows no variable's name.
"""

import numpy as np
from tinygrad import Tensor

from internal.kernels.dropout import Dropout
from internal.kernels.embedding import category_layout, embed_categories, real_layout


class RealEmbedding:
    """One weight and one bias vector a variable; `RealVariableSelection` applies them as part of its one operation."""

    def __init__(self, variables: int, hidden: int, random: np.random.Generator) -> None:
        self.layout = real_layout(variables, hidden)
        self.parameters = self.layout.initialise(random)


class CategoryEmbedding:
    """One table a variable, index 0 for what was never seen: x [row, variable] -> [row, variable, hidden]."""

    def __init__(
        self, cardinalities: tuple[int, ...], hidden: int, dropout: Dropout, random: np.random.Generator
    ) -> None:
        self.layout = category_layout(cardinalities, hidden)
        self.parameters = self.layout.initialise(random)
        self._cardinalities, self._hidden, self._dropout = cardinalities, hidden, dropout

    def __call__(self, x: Tensor) -> Tensor:
        """Embed i32 [row, variable]; the caller guarantees 0 <= index < cardinality."""
        return embed_categories(x, self.parameters, self._cardinalities, self._hidden, self._dropout.control)
