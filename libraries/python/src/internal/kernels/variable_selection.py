"""Variable selection over real inputs, section 4.2 of arXiv 1912.09363, as one operation.

It knows the kernel `variable_selection.c` and the layers whose composition it must equal; it knows no model.
"""

from dataclasses import dataclass

from tinygrad import Tensor

from internal.kernels.embedding import embed_reals
from internal.kernels.gated_residual import GatedResidualSizes, gated_residual
from internal.kernels.launch import Kernel, launch, macros, runs_kernels, shares_of
from internal.kernels.layout import padded
from internal.kernels.selection import select

_BLOCK = 60  # rows that variable_selection.c works on at a time


@dataclass(frozen=True)
class SelectionParameters:
    """The vectors of the three layouts of `SelectionSizes`."""

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
        return GatedResidualSizes(
            self.variables * self.hidden, self.hidden, self.variables, self.hidden, site=self.site + 1
        )


def _kernel(sizes: SelectionSizes, rows: int, contexts: int) -> Kernel:
    variables, inner, scores = sizes.variables, padded(sizes.hidden), padded(sizes.variables)
    each, weighting, shares = sizes.each.layout, sizes.weighting.layout, shares_of(contexts)
    projected = -(-contexts // shares) * inner
    values = {
        "ROWS": rows, "VARIABLES": variables, "HIDDEN": sizes.hidden, "REPEAT": rows // contexts, "SHARES": shares,
        "SITE": sizes.site,
    }  # fmt: skip
    collapsed = variables * (3 * inner + scores) + inner + scores
    tails = variables * (each.group_size - each.offsets["inner_weight"])
    tails += weighting.group_size - weighting.offsets["context_weight"]
    gradient = tails + 2 * variables * inner + collapsed
    transposed = 3 * variables * inner * inner + 2 * inner * (inner + scores)
    forward = projected + 2 * inner * (inner + 1) + _BLOCK * (8 * inner + 6 * scores + 2)
    backward = 2 * projected + _BLOCK * (10 * inner + 6 * scores + 2)
    return Kernel(
        "variable_selection",
        macros(values | each.macros() | weighting.macros("WEIGHTING_")),
        scratch=transposed + 2 * rows * scores + shares * gradient,
        stack=4 * (collapsed + max(forward, backward)),
    )


def select_reals(
    x: Tensor, context: Tensor, parameters: SelectionParameters, sizes: SelectionSizes, control: Tensor
) -> tuple[Tensor, Tensor]:
    """Embed real inputs, send each through its network, weigh them, add up.

    Args:
        x: f32 [row, variable]; it is data and gets no gradient.
        context: f32 [row / n, hidden]; n consecutive rows share one.
        parameters: three vectors, as said there.
        sizes: as said there.
        control: the dropout's (`internal.kernels.dropout`).

    Returns:
        The selected vector f32 [row, hidden], and the weights [row, variable], through which no gradient flows.

    Raises:
        ValueError: rows that are no multiple of the contexts.
    """
    rows, contexts = int(x.shape[0]), int(context.shape[0])
    if rows % contexts:
        raise ValueError(f"{rows} rows cannot share {contexts} contexts")
    kernel = _kernel(sizes, rows, contexts) if sizes.weighting.projected else None
    if kernel is None or not runs_kernels(x.device, stack=kernel.stack):
        return _select_step_by_step(x, context, parameters, sizes, control)
    inputs = [context, parameters.embedding, parameters.variables, parameters.weighting]
    shapes = (rows, padded(sizes.hidden)), (rows, padded(sizes.variables))
    selected, weights = launch(kernel, shapes[0], inputs, control, [x], [shapes[1]])
    return selected[:, : sizes.hidden], weights[:, : sizes.variables]


def _select_step_by_step(
    x: Tensor, context: Tensor, parameters: SelectionParameters, sizes: SelectionSizes, control: Tensor
) -> tuple[Tensor, Tensor]:
    """The same, layer by layer: the kernel's oracle under `plain_form`, and the form for other devices and sizes."""
    embedded = embed_reals(x.detach(), parameters.embedding, sizes.hidden)  # [row, variable, hidden]
    scores = gated_residual(embedded.flatten(1).unsqueeze(1), context, parameters.weighting, sizes.weighting, control)
    vectors = gated_residual(embedded, None, parameters.variables, sizes.each, control)
    return select(scores.squeeze(1), vectors, control), scores.squeeze(1).softmax(-1).detach()
