"""Variable selection, section 4.2 of arXiv 1912.09363: how much each variable counts, row by row.

It knows embedded variables and, where there is one, the static context; it knows no variable's name.
"""

import numpy as np
from tinygrad import Tensor

from internal.kernels.dropout import Dropout
from internal.kernels.gated_residual import GatedResidualSizes
from internal.kernels.selection import select
from internal.networks.gating import GatedResidualNetwork


class VariableSelection:
    """A network a variable (equation 7) and one over all of them whose softmax weighs them (equations 6 and 8)."""

    def __init__(  # noqa: PLR0913 (sizes, a place for dropout's randomness, and the source of initial values)
        self, variables: int, hidden: int, site: int, dropout: Dropout, random: np.random.Generator, *, context: bool
    ) -> None:
        one = GatedResidualSizes(hidden, hidden, hidden, groups=variables, site=site)
        together = GatedResidualSizes(variables * hidden, hidden, variables, hidden if context else 0, site=site + 1)
        self.variables = GatedResidualNetwork(one, dropout, random)
        self.weights = GatedResidualNetwork(together, dropout, random)
        self._dropout = dropout

    def __call__(self, embedded: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Select: embedded [row, variable, hidden], context [row / n, hidden].

        Returns:
            The selected vector [row, hidden], and the weights [row, variable], which sum to one.
        """
        rows, variables, hidden = embedded.shape
        scores = self.weights(embedded.reshape(rows, 1, variables * hidden), context).reshape(rows, variables)
        return select(scores, self.variables(embedded), self._dropout.control), scores.softmax(-1)
