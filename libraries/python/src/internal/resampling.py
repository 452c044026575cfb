"""Bootstrap draws in blocks of neighbours, because neighbouring sessions are not independent."""

import numpy as np


def draw_circular_blocks(
    count: int, generator: np.random.Generator, *, block_sessions: int = 10, draws: int = 2000
) -> np.ndarray:
    """Draw indices below `count` in blocks of neighbours, i64 [draw, count]; after the last index comes the first.

    Every index is drawn equally often on average, so that the draws' mean is that of the sample (Politis, Romano 1992,
    "A circular block-resampling procedure for stationary data").
    """
    length = min(block_sessions, count)
    starts = generator.integers(0, count, (draws, -(-count // length)))
    blocks = (starts[:, :, None] + np.arange(length)) % count
    return np.asarray(blocks.reshape(draws, -1)[:, :count])
