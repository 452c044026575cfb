"""The sizes of `embedding.c`, which looks categories up; see `internal.networks.embeddings`."""

from collections.abc import Sequence

from internal.kernels.launch import Kernel, order_macros
from internal.kernels.layout import Layout


def embedding_kernel(layout: Layout, rows: int, first_rows: Sequence[int]) -> Kernel:
    """Build the kernel; `first_rows` holds the row at which each variable's vocabulary begins."""
    sizes: dict[str, int | str] = {
        "ROWS": rows,
        "VARIABLES": len(first_rows),
        "WIDE": layout.matrix("table").columns,
        "FIRST_ROWS": "{" + ",".join(map(str, first_rows)) + "}",
    }
    return Kernel("embedding", order_macros(sizes | layout.macros()))
