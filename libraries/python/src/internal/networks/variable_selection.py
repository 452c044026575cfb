"""Variable selection, section 4.2 of arXiv 1912.09363: how much each variable counts, row by row.

Static categories come embedded and without context; real inputs come as numbers, with the static context.
"""
# tinygrad exports its names without __all__ and annotates its methods in part
# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false

from dataclasses import dataclass

import numpy as np
from tinygrad import Tensor

from internal.kernels.launch import launch
from internal.kernels.layout import padded
from internal.kernels.selection import selection_kernel
from internal.kernels.variable_selection import variable_selection_kernel
from internal.networks.dropout import Dropout
from internal.networks.embeddings import RealEmbedding, embed_reals
from internal.networks.gated_residual import GatedResidualNetwork, GatedResidualSizes, apply_gated_residual


@dataclass(frozen=True)
class SelectionParameters:
    """The vectors of `real_layout` and of the two layouts of `SelectionSizes`."""

    embedding: Tensor
    variables: Tensor
    weighting: Tensor


@dataclass(frozen=True)
class SelectionSizes:
    """`site` names the dropout of the variables' networks, the next number that of the weighting one."""

    variables: int
    hidden: int
    site: int = 0

    @property
    def each(self) -> GatedResidualSizes:
        """A network a variable, equation 7."""
        return GatedResidualSizes(self.hidden, self.hidden, self.hidden, groups=self.variables, site=self.site)

    @property
    def weighting(self) -> GatedResidualSizes:
        """The network over all variables and the static context, equation 6."""
        together = self.variables * self.hidden
        return GatedResidualSizes(together, self.hidden, self.variables, self.hidden, site=self.site + 1)


def weigh_variables(scores: Tensor, x: Tensor, control: Tensor) -> Tensor:
    """Compute sum_j v_j x_j with v = softmax(scores), equations 6 and 8.

    Args:
        scores: f32 [row, variable].
        x: f32 [row, variable, hidden].
        control: Of the dropout; this operation drops nothing.

    Returns:
        f32 [row, hidden].
    """
    rows, variables, hidden = (int(size) for size in x.shape)
    kernel = selection_kernel(rows, variables, hidden)
    if kernel.runs_on(x.device):
        return launch(kernel, (rows, hidden), [scores, x], control)[0]

    v = scores.softmax(-1)  # [row, variable]
    return (v.unsqueeze(-1) * x).sum(1)


def select_reals(
    x: Tensor, context: Tensor, parameters: SelectionParameters, sizes: SelectionSizes, control: Tensor
) -> tuple[Tensor, Tensor]:
    """Embed real inputs, send each through its network, weigh them, add them up.

    Args:
        x: f32 [row, variable]; it is data and gets no gradient.
        context: f32 [row / n, hidden]; n consecutive rows share one.
        parameters: Three vectors.
        sizes: Variables and width.
        control: Of the dropout.

    Returns:
        The selected vector f32 [row, hidden], and the weights [row, variable], through which no gradient flows.

    Raises:
        ValueError: Rows that are no multiple of the contexts.
    """
    rows, contexts = int(x.shape[0]), int(context.shape[0])
    if rows % contexts:
        raise ValueError(f"{rows} rows cannot share {contexts} contexts")
    kernel = variable_selection_kernel(sizes.each.layout, sizes.weighting.layout, rows, contexts, sizes.site)
    if sizes.weighting.projected and kernel.runs_on(x.device):  # the C file has no form without a projected skip
        inputs = [context, parameters.embedding, parameters.variables, parameters.weighting]
        shapes = (rows, padded(sizes.hidden)), (rows, padded(sizes.variables))
        selected, weights = launch(kernel, shapes[0], inputs, control, [x], [shapes[1]])
        return selected[:, : sizes.hidden], weights[:, : sizes.variables]

    embedded = embed_reals(x.detach(), parameters.embedding, sizes.hidden)  # [row, variable, hidden]
    together = embedded.flatten(1).unsqueeze(1)  # [row, 1, variable * hidden]
    scores = apply_gated_residual(together, context, parameters.weighting, sizes.weighting, control).squeeze(1)
    vectors = apply_gated_residual(embedded, None, parameters.variables, sizes.each, control)  # equation 7
    return weigh_variables(scores, vectors, control), scores.softmax(-1).detach()


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
        return weigh_variables(scores, self.variables(embedded), self._dropout.control), scores.softmax(-1)


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
