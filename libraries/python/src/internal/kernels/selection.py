"""The sizes of `selection.c`, a softmax and a weighted sum; see `internal.networks.variable_selection`."""

from internal.kernels.launch import Kernel, count_shares, order_macros


def selection_kernel(rows: int, variables: int, hidden: int) -> Kernel:
    """Build the kernel for this many rows."""
    sizes = {"ROWS": rows, "VARIABLES": variables, "WIDE": hidden, "SHARES": count_shares(rows)}
    return Kernel("selection", order_macros(sizes))
