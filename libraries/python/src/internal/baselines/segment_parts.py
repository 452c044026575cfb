"""Work on a panel in parts that hold whole segments, in parallel, so that a part's arrays fit a cache."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Final

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from internal.features.segment_means import segment_lengths
from internal.freed_memory import keep_freed_memory, return_freed_memory

PART_ROWS: Final = 32_768


def each_part[Result](frame: pl.DataFrame, work: Callable[[slice], Result]) -> list[Result]:
    """The results of `work` for parts of a frame, of about PART_ROWS rows, in their order."""
    ends = np.cumsum(segment_lengths(frame))
    bounds = [0, *ends[:-1][np.diff(ends // PART_ROWS) > 0].tolist(), frame.height]
    parts = [slice(first, last) for first, last in pairwise(bounds)]
    keep_freed_memory()
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(pl.thread_pool_size()) as pool:  # BLAS threads would spin
        results = list(pool.map(work, parts))
    return_freed_memory()
    return results


def fill_parts(frame: pl.DataFrame, shape: tuple[int, ...], work: Callable[[slice], np.ndarray]) -> np.ndarray:
    """What `work` gives for parts of a frame, f64 [row, *shape], without a second copy of it."""
    whole = np.empty((frame.height, *shape))

    def fill(part: slice) -> None:
        whole[part] = work(part)

    each_part(frame, fill)
    return whole
