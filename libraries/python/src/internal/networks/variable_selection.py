"""Variable selection, section 4.2 of arXiv 1912.09363: how much each variable counts, row by row.

Static categories come embedded and without context; real inputs come as numbers, with the static context.
It knows no variable's name.
"""

import numpy as np
from tinygrad import Tensor

from internal.kernels.dropout import Dropout
from internal.kernels.gated_residual import GatedResidualSizes
from internal.kernels.selection import select
from internal.kernels.variable_selection import SelectionParameters, SelectionSizes, select_reals
from internal.networks.embeddings import RealEmbedding
from internal.networks.gating import GatedResidualNetwork


class VariableSelection:
    """A network a variable (equation 7) and one over all of them whose softmax weighs them (equations 6 and 8)."""

    def __init__(self, variables: int, hidden: int, site: int, dropout: Dropout, random: np.random.Generator) -> None:
        one = GatedResidualSizes(hidden, hidden, hidden, groups=variables, site=site)
        together = GatedResidualSizes(variables * hidden, hidden, variables, site=site + 1)
        self.variables = GatedResidualNetwork(one, dropout, random)
        self.weights = GatedResidualNetwork(together, dropout, random)
        self._dropout = dropout

    def __call__(self, embedded: Tensor) -> tuple[Tensor, Tensor]:
        """Select: embedded [row, variable, hidden].

        Returns:
            The selected vector [row, hidden], and the weights [row, variable], which sum to one.
        """
        rows, variables, hidden = embedded.shape
        scores = self.weights(embedded.reshape(rows, 1, variables * hidden)).reshape(rows, variables)
        return select(scores, self.variables(embedded), self._dropout.control), scores.softmax(-1)


class RealVariableSelection:
    """The same for real numbers, embedding included, with a static context: one operation, most of the model's work."""

    def __init__(self, variables: int, hidden: int, site: int, dropout: Dropout, random: np.random.Generator) -> None:
        self.sizes = SelectionSizes(variables, hidden, site)
        self.embedding = RealEmbedding(variables, hidden, random)
        self.variables = GatedResidualNetwork(self.sizes.each, dropout, random)
        self.weights = GatedResidualNetwork(self.sizes.weighting, dropout, random)
        self._dropout = dropout

    def __call__(self, x: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Select: x [.., variable], its leading axes become rows; context [row / n, hidden].

        Returns:
            The selected vector [row, hidden], and the weights [row, variable], which sum to one and pass no gradient.
        """
        vectors = SelectionParameters(self.embedding.parameters, self.variables.parameters, self.weights.parameters)
        return select_reals(x.reshape(-1, x.shape[-1]), context, vectors, self.sizes, self._dropout.control)
