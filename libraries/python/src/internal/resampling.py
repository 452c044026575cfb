"""Bootstrap draws in moving blocks, because neighbouring sessions are not independent."""

import numpy as np


def draw_moving_blocks(
    count: int, generator: np.random.Generator, *, block_sessions: int = 10, draws: int = 2000
) -> np.ndarray:
    """Draw indices below `count` in blocks of neighbours that may start anywhere (Kuensch 1989), i64 [draw, count]."""
    length = min(block_sessions, count)
    starts = generator.integers(0, count - length + 1, (draws, -(-count // length)))
    return np.asarray((starts[:, :, None] + np.arange(length)).reshape(draws, -1)[:, :count])
