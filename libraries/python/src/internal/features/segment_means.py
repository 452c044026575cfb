"""Means over the last sessions of each segment of a column, for many windows, from running sums, in C."""

import ctypes
from typing import Final

import numpy as np
import polars as pl

from internal.bar_kernels.library import Column, Windowed, load_volatility

ROWS: Final = "f64 [row], contiguous"


class SegmentMeans:
    """A column of whole segments with its running sums: the sum over a window is the difference of two of them.

    A sum begins with its segment, so that no bit of a row depends on another segment or on a later row.

    Args:
        values: f64 [row]; NaN where missing.
        lengths: Rows of each segment, i64 [segment].

    Raises:
        ValueError: A value that is not the first of its segment is missing; or an array is not as described.
    """

    def __init__(self, values: np.ndarray, lengths: np.ndarray) -> None:
        """Sums the column."""
        require_rows(values)
        self._lengths = np.ascontiguousarray(lengths, np.int64)
        if self._lengths.min(initial=0) < 0 or int(self._lengths.sum()) != len(values):
            raise ValueError("the segments are not those of the column")
        self._values, self._sums = values, np.empty_like(values)
        arrays = (self._values, self._sums, self._lengths)
        self._column = Column(*(array.ctypes.data for array in arrays), len(self._lengths))
        if load_volatility().sum_segments(ctypes.byref(self._column)):
            raise ValueError("a column lacks a value that is not the first of its segment")

    def mean(
        self, window: int, fewest: int, out: np.ndarray, *, smallest: float = -np.inf, is_squared: bool = False
    ) -> None:
        """Write the mean of the last `window` values to f64 [row]; NaN where fewer than `fewest` are known.

        A mean is squared first where `is_squared`; then less than `smallest` counts as that.

        Raises:
            ValueError: `window` is less than `fewest` or than one, or `out` is not as described.
        """
        require_rows(out)
        if not max(fewest, 1) <= window or out.shape != self._values.shape:
            raise ValueError("no such window of the column")
        windowed = Windowed(window, fewest, smallest, is_squared)
        load_volatility().mean_windows(ctypes.byref(self._column), ctypes.byref(windowed), out.ctypes.data)


def segment_lengths(frame: pl.DataFrame) -> np.ndarray:
    """Rows of each segment of a frame, whose rows are adjacent, i64 [segment]."""
    segment = frame.get_column("segment").to_numpy()
    ends = np.append(np.flatnonzero(segment[1:] != segment[:-1]) + 1, len(segment))
    return np.diff(ends, prepend=0) if len(segment) else np.empty(0, np.int64)


def require_rows(array: np.ndarray) -> None:
    """Refuse what C would read or write elsewhere. Raises ValueError."""
    if array.dtype != np.float64 or array.ndim != 1 or not array.flags.c_contiguous or not array.flags.aligned:
        raise ValueError(f"an array must be {ROWS}, not {array.dtype} {array.shape}")
