"""The sizes of `gated_residual.c`; its equations are in `internal.networks.gated_residual`."""

from internal.kernels.launch import Kernel, count_shares, order_macros
from internal.kernels.layout import Layout, padded

_BLOCK = 60  # rows that gated_residual.c works on at a time


def gated_residual_kernel(layout: Layout, rows: int, repeat: int, site: int) -> Kernel:
    """Build the kernel; `repeat` consecutive rows share one context, where the layout has a weight for one."""
    weight, output, groups = layout.matrix("hidden_weight"), layout.matrix("scale").columns, layout.groups
    context = layout.matrix("context_weight").rows if layout.has("context_weight") else 0
    projected = layout.has("skip_weight")
    shares = count_shares(rows // repeat if context else rows, groups)
    inner, width, features = padded(weight.columns), padded(output), padded(weight.rows)
    contexts = -(-rows // repeat // shares) * inner if context else 1
    transposed = 2 * width * inner + inner * inner + inner * features + projected * width * features
    transposed += inner * padded(context) if context else 0
    values = {
        "ROWS": rows, "GROUPS": groups, "INPUT": weight.rows, "HIDDEN": weight.columns, "OUTPUT": output,
        "CONTEXT": context, "REPEAT": repeat, "PROJECTED": int(projected), "SHARES": shares, "SITE": site,
    }  # fmt: skip
    return Kernel(
        "gated_residual",
        order_macros(values | layout.macros()),
        scratch=groups * (transposed + shares * layout.group_size),
        stack=4 * (_BLOCK * (5 * inner + 5 * width + features) + 2 * contexts + padded(context)),
    )
