"""The weighing of variables by a softmax, equations 6 and 8 of arXiv 1912.09363.

It knows the kernel `selection.c` and the plain form that it must equal; it knows no model.
"""

from tinygrad import Tensor

from internal.kernels.launch import Kernel, launch, macros, runs_kernels, shares_of


def select(scores: Tensor, x: Tensor, control: Tensor) -> Tensor:
    """Weigh: scores f32 [row, variable], x f32 [row, variable, hidden] -> f32 [row, hidden]."""
    rows, variables, hidden = (int(size) for size in x.shape)
    if not runs_kernels(x.device):
        return plain_select(scores, x)
    sizes = {"ROWS": rows, "VARIABLES": variables, "WIDE": hidden, "SHARES": shares_of(rows)}
    return launch(Kernel("selection", macros(sizes)), (rows, hidden), [scores, x], control)[0]


def plain_select(scores: Tensor, x: Tensor) -> Tensor:
    """`select` in plain tinygrad: its oracle, and its form on other devices."""
    return (scores.softmax(-1).unsqueeze(-1) * x).sum(1)
