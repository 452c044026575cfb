"""Draws of dates for the bootstrap: moving blocks, because neighbouring sessions are not independent.

Knows places in a series. Knows nothing of what is measured there.
"""

import numpy as np


def moving_blocks(
    count: int, generator: np.random.Generator, *, block_sessions: int = 10, draws: int = 2000
) -> np.ndarray:
    """Places below `count`, drawn in blocks of neighbours that may begin anywhere (Kuensch 1989), i64 [draw, count]."""
    length = min(block_sessions, count)
    starts = generator.integers(0, count - length + 1, (draws, -(-count // length)))
    return np.asarray((starts[:, :, None] + np.arange(length)).reshape(draws, -1)[:, :count])
