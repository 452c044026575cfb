"""The sizes of `gated_residual.c`; its equations are in `internal.networks.gated_residual`."""

from internal.kernels.launch import Kernel, count_shares, order_macros
from internal.kernels.layout import Layout, padded

_BLOCK = 60  # rows that gated_residual.c works on at a time
_MERGING = 4  # to merge two layers costs what twice as many rows as the width save


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
    merges = rows > _MERGING * inner
    values = {
        "ROWS": rows, "GROUPS": groups, "INPUT": weight.rows, "HIDDEN": weight.columns, "OUTPUT": output,
        "CONTEXT": context, "REPEAT": repeat, "PROJECTED": int(projected), "SHARES": shares, "SITE": site,
        "MERGES": int(merges),
    }  # fmt: skip
    return Kernel(
        "gated_residual",
        order_macros(values | layout.macros()),
        scratch=groups * (transposed + shares * layout.group_size),
        prepared=groups * (weight.columns + 1) * 2 * width if merges else 0,
        stack=4 * (_BLOCK * (5 * inner + 5 * width + features + 1) + 2 * contexts + padded(context)),
    )
