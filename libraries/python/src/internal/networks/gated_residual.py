"""The gated residual network, section 4.1 of arXiv 1912.09363: it lets the model skip what it does not need."""
# tinygrad exports its names without __all__ and annotates its methods in part
# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false

from dataclasses import dataclass

import numpy as np
from tinygrad import Tensor

from internal.kernels.gated_residual import gated_residual_kernel
from internal.kernels.launch import launch
from internal.kernels.layout import Layout, Matrix
from internal.networks.dropout import Dropout, drop

EPSILON = 1e-5


@dataclass(frozen=True)
class GatedResidualSizes:
    """Sizes of `groups` networks side by side; `context` 0 means none; `site` names the dropout."""

    input: int
    hidden: int
    output: int
    context: int = 0
    groups: int = 1
    site: int = 0

    @property
    def projected(self) -> bool:
        """Whether the skip needs a projection, because the output is not as wide as the input."""
        return self.input != self.output

    @property
    def layout(self) -> Layout:
        """The parameters, with the paper's symbols; W4 and W5 are the two blocks of one matrix."""
        matrices = [
            ("hidden_weight", Matrix(self.input, self.hidden)),  # W2
            ("hidden_bias", Matrix(1, self.hidden, 1, "zeros")),  # b2
        ]
        if self.context:
            matrices.append(("context_weight", Matrix(self.context, self.hidden)))  # W3
        matrices += [
            ("inner_weight", Matrix(self.hidden, self.hidden)),  # W1
            ("inner_bias", Matrix(1, self.hidden, 1, "zeros")),  # b1
            ("gate_weight", Matrix(self.hidden, self.output, 2)),  # W5 and W4
            ("gate_bias", Matrix(1, self.output, 2, "zeros")),  # b5 and b4
        ]
        if self.projected:
            matrices += [
                ("skip_weight", Matrix(self.input, self.output)),
                ("skip_bias", Matrix(1, self.output, 1, "zeros")),
            ]
        matrices += [("scale", Matrix(1, self.output, 1, "ones")), ("shift", Matrix(1, self.output, 1, "zeros"))]
        return Layout(tuple(matrices), self.groups)


def apply_gated_residual(
    a: Tensor, context: Tensor | None, parameters: Tensor, sizes: GatedResidualSizes, control: Tensor
) -> Tensor:
    """Apply `groups` networks, each with its own weights.

    Equations 2 to 5, eta1 with dropout::

        GRN(a, c) = LayerNorm(a + GLU(eta1))
        eta1      = W1 eta2 + b1
        eta2      = ELU(W2 a + W3 c + b2)
        GLU(eta1) = sigmoid(W4 eta1 + b4) * (W5 eta1 + b5)

    Args:
        a: f32 [row, group, input].
        context: c, f32 [row / n, context], or None; n consecutive rows share one; only a single group takes contexts.
        parameters: The vector of `sizes.layout`.
        sizes: The widths.
        control: Of the dropout.

    Returns:
        f32 [row, group, output].

    Raises:
        ValueError: A context for several groups, or rows that are no multiple of the contexts.
    """
    repeat = _rows_per_context(a, context, sizes)
    kernel = gated_residual_kernel(sizes.layout, int(a.shape[0]), repeat, sizes.site)
    if kernel.runs_on(a.device):
        inputs = [a, parameters] if context is None else [a, context, parameters]
        return launch(kernel, (int(a.shape[0]), sizes.groups, sizes.output), inputs, control)[0]

    def matrix(name: str) -> Tensor:
        found = sizes.layout.view(parameters, name)
        return found.reshape(sizes.groups, found.shape[1], -1)  # [group, rows, blocks * columns]

    a = a.transpose(0, 1)  # [group, row, input]
    eta2 = a @ matrix("hidden_weight") + matrix("hidden_bias")  # [group, row, hidden]
    if context is not None:
        added = context @ matrix("context_weight")[0]  # [row / n, hidden]
        eta2 = eta2 + added.reshape(-1, 1, sizes.hidden).expand(-1, repeat, -1).reshape(1, -1, sizes.hidden)
    eta1 = eta2.elu() @ matrix("inner_weight") + matrix("inner_bias")
    eta1 = drop(eta1.transpose(0, 1), control, sizes.site).transpose(0, 1)
    gates = eta1 @ matrix("gate_weight") + matrix("gate_bias")  # [group, row, 2 * output]
    skip = a @ matrix("skip_weight") + matrix("skip_bias") if sizes.projected else a
    return layer_norm(skip + gated_linear_unit(gates), matrix("scale"), matrix("shift")).transpose(0, 1)


def _rows_per_context(a: Tensor, context: Tensor | None, sizes: GatedResidualSizes) -> int:
    if (context is not None) != bool(sizes.context) or (context is not None and sizes.groups != 1):
        raise ValueError("a context belongs to a single network that was built for one")
    rows, contexts = int(a.shape[0]), int(a.shape[0] if context is None else context.shape[0])
    if rows % contexts:
        raise ValueError(f"{rows} rows cannot share {contexts} contexts")
    return rows // contexts


def gated_linear_unit(gates: Tensor) -> Tensor:
    """Equation 5 after its dense layers: [.., 2 * width], value before gate -> [.., width]."""
    value, gate = gates.chunk(2, dim=-1)
    return value * gate.sigmoid()


def layer_norm(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Layer normalisation over the last axis (arXiv 1607.06450)."""
    return x.layernorm(eps=EPSILON) * scale + shift


class GatedResidualNetwork:
    """`groups` gated residual networks side by side."""

    def __init__(self, sizes: GatedResidualSizes, dropout: Dropout, random: np.random.Generator) -> None:
        self.sizes, self.layout = sizes, sizes.layout
        self.parameters = self.layout.initialise(random)
        self._dropout = dropout

    def __call__(self, a: Tensor, context: Tensor | None = None) -> Tensor:
        """Apply: a [row, group, input], context [row / n, context] -> [row, group, output]."""
        return apply_gated_residual(a, context, self.parameters, self.sizes, self._dropout.control)
