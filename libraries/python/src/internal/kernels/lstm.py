"""The sizes of `lstm.c`; its equations are in `internal.networks.lstm`."""

from tinygrad.helpers import TRAINING

from internal.kernels.launch import Kernel, count_shares, order_macros
from internal.kernels.layout import Layout, padded

_WINDOWS = 18  # sequences that lstm.c runs together


def lstm_kernel(layout: Layout, batch: int, steps: int, switch: int) -> Kernel:
    """Build the kernel for sequences of this many steps."""
    weight, shares = layout.matrix("input_weight"), count_shares(batch)
    inner, features = padded(weight.columns), padded(weight.rows)
    keeps, sequences = bool(TRAINING), -(-batch // shares)
    sizes = {
        "BATCH": batch, "STEPS": steps, "SWITCH": switch, "INPUT": weight.rows, "HIDDEN": weight.columns,
        "SHARES": shares, "KEEPS": int(keeps),
    }  # fmt: skip
    states = _WINDOWS * (steps * 4 * inner + 2 * (steps + 1) * inner)
    return Kernel(
        "lstm",
        order_macros(sizes | layout.macros()),
        scratch=2 * 4 * inner * (features + inner) + shares * (2 * layout.group_size + (0 if keeps else states)),
        kept=shares * -(-sequences // _WINDOWS) * states if keeps else 0,
        stack=4 * _WINDOWS * (15 * inner + 6 * features),
    )
