"""The sizes of `gate.c`; its equations are in `internal.networks.gated_skip`."""

from internal.kernels.launch import Kernel, count_shares, order_macros
from internal.kernels.layout import Layout, padded

_BLOCK = 60  # rows that gate.c works on at a time


def gate_kernel(layout: Layout, rows: int, site: int) -> Kernel:
    """Build the kernel for this many rows."""
    hidden, shares = layout.matrix("scale").columns, count_shares(rows)
    width = padded(hidden)
    return Kernel(
        "gate",
        order_macros({"ROWS": rows, "OUTPUT": hidden, "SHARES": shares, "SITE": site} | layout.macros()),
        scratch=2 * width * width + shares * layout.group_size,
        stack=4 * _BLOCK * 9 * width,
    )
