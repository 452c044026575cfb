"""The sizes of `variable_selection.c`; its equations are in `internal.networks.variable_selection`."""

from tinygrad.helpers import TRAINING

from internal.kernels.launch import Kernel, count_shares, order_macros
from internal.kernels.layout import Layout, padded

_BLOCK = 60  # rows that variable_selection.c works on at a time
_MERGING = 4  # to merge two layers costs what twice as many rows as the width save


def variable_selection_kernel(each: Layout, weighting: Layout, rows: int, contexts: int, site: int) -> Kernel:
    """Build the kernel of the whole selection: the networks of the variables and the one that weighs them."""
    keeps = bool(TRAINING)
    hidden, variables, shares = each.matrix("hidden_weight").columns, each.groups, count_shares(contexts)
    inner, scores = padded(hidden), padded(variables)
    projected = -(-contexts // shares) * inner
    merges = not keeps and rows > _MERGING * inner
    values = {
        "ROWS": rows, "VARIABLES": variables, "HIDDEN": hidden, "REPEAT": rows // contexts, "SHARES": shares,
        "SITE": site, "KEEPS": int(keeps), "MERGES": int(merges),
    }  # fmt: skip
    collapsed = variables * (3 * inner + scores) + inner + scores
    tails = variables * (each.group_size - each.offsets["inner_weight"])
    tails += weighting.group_size - weighting.offsets["context_weight"]
    gradient = tails + 2 * variables * inner + collapsed
    transposed = 3 * variables * inner * inner + 2 * inner * (inner + scores)
    forward = projected + _BLOCK * (10 * inner + 6 * scores + 4)
    backward = 2 * projected + _BLOCK * (14 * inner + 6 * scores + 4)
    return Kernel(
        "variable_selection",
        order_macros(values | each.macros() | weighting.macros("WEIGHTING_")),
        scratch=transposed + rows * scores + shares * gradient,
        stack=4 * (collapsed + max(forward, backward)),
        kept=variables * rows * (3 * inner + 2) if keeps else 0,
        prepared=variables * (hidden + 1) * 2 * inner if merges else 0,
    )
