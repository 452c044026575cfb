"""The sizes of `attention.c`; its equations are in `internal.networks.attention`."""

from internal.kernels.launch import Kernel, count_shares, order_macros
from internal.kernels.layout import Layout, padded


def attention_kernel(layout: Layout, batch: int, steps: int, queries: int, site: int) -> Kernel:
    """Build the kernel for sequences of this many steps, of which the last `queries` ask."""
    weight, shares = layout.matrix("query_weight"), count_shares(batch)
    heads, inner, head, keys = weight.blocks, padded(weight.rows), padded(weight.columns), padded(steps)
    values = {
        "BATCH": batch, "STEPS": steps, "QUERIES": queries, "HIDDEN": weight.rows, "HEADS": heads,
        "DEPTH": weight.columns, "SHARES": shares, "SITE": site,
    }  # fmt: skip
    per_query = 2 * heads * head + heads * keys + 3 * keys + 2 * head + 2 * inner
    return Kernel(
        "attention",
        order_macros(values | layout.macros()),
        scratch=inner * head * (2 * heads + 2) + shares * layout.group_size,
        stack=4 * (queries * per_query + steps * (2 * heads * head + 2 * head + inner) + head * keys),
    )
