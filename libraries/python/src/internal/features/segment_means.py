"""Means over the last sessions of each segment, of several columns and for many windows, from running sums."""

from dataclasses import dataclass
from typing import Self

import numpy as np


@dataclass(frozen=True)
class SegmentMeans:
    """Columns of whole segments with their running sums: the sum over a window is the difference of two of them.

    A sum begins with its segment, so that no bit of a row depends on another segment or on a later row.

    Attributes:
        values: f64 [column, row]; NaN where missing.
        sums: Of each segment's values up to each row, f64 [column, row].
        reached: Rows of the segment up to each row, itself included, f64 [row].
        missing: Whether a segment lacks its first value, bool [column, segment].
        lengths: Rows of each segment, i64 [segment].
    """

    values: np.ndarray
    sums: np.ndarray
    reached: np.ndarray
    missing: np.ndarray
    lengths: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, lengths: np.ndarray) -> Self:
        """Sum columns f64 [column, row] over adjacent segments.

        Raises:
            ValueError: A value that is not the first of its segment is missing.
        """
        ends = np.cumsum(lengths)
        firsts = ends - lengths
        sums, missing = values.copy(), np.isnan(values[:, firsts])
        sums[:, firsts] = np.where(missing, 0.0, values[:, firsts])
        for first, last in zip(firsts.tolist(), ends.tolist(), strict=True):
            np.cumsum(sums[:, first:last], axis=1, out=sums[:, first:last])
        if np.isnan(sums[:, ends - 1]).any():
            raise ValueError("a column lacks a value that is not the first of its segment")
        reached = np.arange(1.0, values.shape[1] + 1) - np.repeat(firsts, lengths)
        return cls(values, sums, reached, missing, lengths)

    def mean(self, column: int, window: int, fewest: int, out: np.ndarray) -> None:
        """Write the mean of a column's last `window` values to f64 [row]; NaN where fewer than `fewest` are known."""
        if window == 1:
            out[:] = self.values[column]
            return
        sums, known = self.sums[column], self._known(column)
        np.subtract(sums[window:], sums[:-window], out=out[window:])
        np.copyto(out, sums, where=self.reached <= window)
        np.divide(out, np.clip(known, 1, window), out=out)
        out[known < fewest] = np.nan

    def _known(self, column: int) -> np.ndarray:
        """How many of the segment's values up to each row are known, f64 [row]."""
        missing = self.missing[column]
        if missing.all():
            return self.reached - 1
        return self.reached - np.repeat(missing, self.lengths) if missing.any() else self.reached
