"""The gated skip connection, equations 17, 19 and 20 of arXiv 1912.09363.

It knows the kernel `gate.c` and the plain form that it must equal; it knows no model.
"""

from tinygrad import Tensor

from internal.kernels.dropout import drop
from internal.kernels.gated_residual import gated, normalise
from internal.kernels.launch import Kernel, launch, macros, runs_kernels, shares_of
from internal.kernels.layout import Layout, Matrix, padded

_BLOCK = 60  # rows that gate.c works on at a time


def gate_layout(hidden: int) -> Layout:
    """The parameters: W4 and W5 of equation 5 side by side, and the norm's scale and shift."""
    return Layout(
        (
            ("gate_weight", Matrix(hidden, hidden, 2)),
            ("gate_bias", Matrix(1, hidden, 2, "zeros")),
            ("scale", Matrix(1, hidden, 1, "ones")),
            ("shift", Matrix(1, hidden, 1, "zeros")),
        )
    )


def gate(x: Tensor, skip: Tensor, parameters: Tensor, control: Tensor, site: int) -> Tensor:
    """LayerNorm(skip + GLU(dropout(x))): f32 [row, hidden] twice -> f32 [row, hidden]."""
    rows, hidden = (int(size) for size in x.shape)
    layout, shares, width = gate_layout(hidden), shares_of(rows), padded(hidden)
    kernel = Kernel(
        "gate",
        macros({"ROWS": rows, "OUTPUT": hidden, "SHARES": shares, "SITE": site} | layout.macros()),
        scratch=2 * width * width + shares * layout.group_size,
        stack=4 * _BLOCK * 8 * width,
    )
    if not runs_kernels(x.device, stack=kernel.stack):
        return plain_gate(x, skip, parameters, control, site)
    return launch(kernel, (rows, hidden), [x, skip, parameters], control)[0]


def plain_gate(x: Tensor, skip: Tensor, parameters: Tensor, control: Tensor, site: int) -> Tensor:
    """`gate` in plain tinygrad: its oracle, and its form on other devices."""
    hidden = int(x.shape[1])
    layout = gate_layout(hidden)
    weight, bias = (layout.view(parameters, name)[0].reshape(-1, 2 * hidden) for name in ("gate_weight", "gate_bias"))
    scale, shift = (layout.view(parameters, name).reshape(hidden) for name in ("scale", "shift"))
    return normalise(skip + gated(drop(x, control, site) @ weight + bias, hidden), scale, shift)
