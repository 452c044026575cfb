"""The gated residual network, equations 2-5 of arXiv 1912.09363, several side by side.

It knows the kernel `gated_residual.c` and the plain form that it must equal; it knows no model.
"""

from dataclasses import dataclass

from tinygrad import Tensor

from internal.kernels.dropout import drop
from internal.kernels.launch import Kernel, launch, macros, runs_kernels, shares_of
from internal.kernels.layout import Layout, Matrix, padded

EPSILON = 1e-5
_BLOCK = 60  # rows that gated_residual.c works on at a time


@dataclass(frozen=True)
class GatedResidualSizes:
    """Sizes of `groups` networks that stand side by side; `context` 0 means none; `site` names the dropout."""

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
        """The parameters: hidden (W2, W3 of equation 4), inner (W1 of 3), gate (W4, W5 of 5), skip, norm."""
        matrices = [
            ("hidden_weight", Matrix(self.input, self.hidden)),
            ("hidden_bias", Matrix(1, self.hidden, 1, "zeros")),
        ]
        if self.context:
            matrices.append(("context_weight", Matrix(self.context, self.hidden)))
        matrices += [
            ("inner_weight", Matrix(self.hidden, self.hidden)),
            ("inner_bias", Matrix(1, self.hidden, 1, "zeros")),
            ("gate_weight", Matrix(self.hidden, self.output, 2)),
            ("gate_bias", Matrix(1, self.output, 2, "zeros")),
        ]
        if self.projected:
            matrices += [
                ("skip_weight", Matrix(self.input, self.output)),
                ("skip_bias", Matrix(1, self.output, 1, "zeros")),
            ]
        matrices += [("scale", Matrix(1, self.output, 1, "ones")), ("shift", Matrix(1, self.output, 1, "zeros"))]
        return Layout(tuple(matrices), self.groups)


def _kernel(sizes: GatedResidualSizes, rows: int, repeat: int) -> Kernel:
    shares = shares_of(rows // repeat if sizes.context else rows, sizes.groups)
    inner, width, features = padded(sizes.hidden), padded(sizes.output), padded(sizes.input)
    contexts = -(-rows // repeat // shares) * inner if sizes.context else 1
    transposed = 2 * width * inner + inner * inner + inner * features + sizes.projected * width * features
    transposed += inner * padded(sizes.context) if sizes.context else 0
    layout = sizes.layout
    values = {
        "ROWS": rows, "GROUPS": sizes.groups, "INPUT": sizes.input, "HIDDEN": sizes.hidden, "OUTPUT": sizes.output,
        "CONTEXT": sizes.context, "REPEAT": repeat, "PROJECTED": int(sizes.projected), "SHARES": shares,
        "SITE": sizes.site,
    }  # fmt: skip
    return Kernel(
        "gated_residual",
        macros(values | layout.macros()),
        scratch=sizes.groups * (transposed + shares * layout.group_size),
        stack=4 * (_BLOCK * (4 * inner + 5 * width + features) + 2 * contexts + padded(sizes.context)),
    )


def gated_residual(
    x: Tensor, context: Tensor | None, parameters: Tensor, sizes: GatedResidualSizes, control: Tensor
) -> Tensor:
    """Apply `groups` networks.

    Args:
        x: f32 [row, group, input].
        context: f32 [row / n, context], or None; n consecutive rows share one; only a single group takes contexts.
        parameters: the vector of `sizes.layout`.
        sizes: as said there.
        control: the dropout's (`internal.kernels.dropout`).

    Returns:
        f32 [row, group, output].

    Raises:
        ValueError: a context for several groups, or rows that are no multiple of the contexts.
    """
    if (context is not None) != bool(sizes.context) or (context is not None and sizes.groups != 1):
        raise ValueError("a context belongs to a single network that was built for one")
    rows, contexts = int(x.shape[0]), int(x.shape[0] if context is None else context.shape[0])
    if rows % contexts:
        raise ValueError(f"{rows} rows cannot share {contexts} contexts")
    kernel = _kernel(sizes, rows, rows // contexts)
    if not runs_kernels(x.device, stack=kernel.stack):
        return plain_gated_residual(x, context, parameters, sizes, control)
    inputs = [x, parameters] if context is None else [x, context, parameters]
    return launch(kernel, (rows, sizes.groups, sizes.output), inputs, control)[0]


def plain_gated_residual(
    x: Tensor, context: Tensor | None, parameters: Tensor, sizes: GatedResidualSizes, control: Tensor
) -> Tensor:
    """`gated_residual` in plain tinygrad: its oracle, and its form on other devices."""

    def matrix(name: str) -> Tensor:
        found = sizes.layout.view(parameters, name)
        return found.reshape(sizes.groups, found.shape[1], -1)  # [group, rows, blocks * columns]

    by_group = x.transpose(0, 1)  # [group, row, input]
    hidden = by_group @ matrix("hidden_weight") + matrix("hidden_bias")
    if context is not None:
        added = context @ matrix("context_weight")[0]  # [row / repeat, hidden]
        hidden = hidden + added.reshape(-1, 1, sizes.hidden).expand(-1, x.shape[0] // context.shape[0], -1).reshape(
            1, -1, sizes.hidden
        )
    inner = hidden.elu() @ matrix("inner_weight") + matrix("inner_bias")
    inner = drop(inner.transpose(0, 1), control, sizes.site).transpose(0, 1)
    skip = by_group @ matrix("skip_weight") + matrix("skip_bias") if sizes.projected else by_group
    gates = inner @ matrix("gate_weight") + matrix("gate_bias")
    return normalise(skip + gated(gates, sizes.output), matrix("scale"), matrix("shift")).transpose(0, 1)


def gated(gates: Tensor, width: int) -> Tensor:
    """The gated linear unit, equation 5: [.., 2 * width] (value, gate) -> [.., width]."""
    return gates[..., :width] * gates[..., width:].sigmoid()


def normalise(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Layer normalisation over the last axis (arXiv 1607.06450)."""
    return x.layernorm(eps=EPSILON) * scale + shift
