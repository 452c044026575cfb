"""Inputs in standard deviations of a fold, with outliers clipped."""

import ctypes
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from internal.bar_kernels.library import Standards, load_volatility
from internal.features.segment_means import require_rows

LARGEST_INPUT: Final = 6.0
SMALLEST_SPREAD: Final = 1e-9


@dataclass(frozen=True)
class Standardisation:
    """What takes inputs to standard deviations.

    Attributes:
        center: Mean of each input, f64 [input].
        spread: Its standard deviation, f64 [input].
    """

    center: np.ndarray
    spread: np.ndarray

    @classmethod
    def fit(cls, chunks: Iterable[np.ndarray]) -> Self:
        """Mean and standard deviation over chunks of rows, f64 [row, input] each, merged as in Chan et al. (1983)."""
        count, mean, squares = 0, np.zeros(()), np.zeros(())
        for chunk in chunks:
            shift = chunk.mean(axis=0) - mean
            total = count + len(chunk)
            squares = squares + chunk.var(axis=0) * len(chunk) + shift**2 * (count * len(chunk) / total)
            mean, count = mean + shift * (len(chunk) / total), total
        return cls(mean, np.maximum(np.sqrt(squares / count), SMALLEST_SPREAD))

    def apply(self, inputs: np.ndarray) -> np.ndarray:
        """Inputs in standard deviations, f64 [row, input]; NaN stays. Raises ValueError where inputs do not fit."""
        standardised = np.array(inputs, np.float64, order="C", ndmin=2)
        center, spread = (np.ascontiguousarray(figures, np.float64) for figures in (self.center, self.spread))
        if standardised.ndim != 2 or not standardised.shape[1:] == center.shape == spread.shape:  # noqa: PLR2004
            raise ValueError(f"inputs {standardised.shape} do not fit figures {center.shape}, {spread.shape}")
        standards = Standards(center.ctypes.data, spread.ctypes.data, LARGEST_INPUT)
        load_volatility().standardise_rows(ctypes.byref(standards), standardised.ctypes.data, *standardised.shape)
        return standardised

    def apply_to(self, first: int, values: np.ndarray) -> None:
        """The same for the values of some inputs from the first on, f64 [input, row], which are overwritten.

        Raises:
            ValueError: They are not as described.
        """
        require_rows(values.reshape(-1, copy=False))
        some = slice(first, first + len(values))
        center, spread = (np.ascontiguousarray(figures[some], np.float64) for figures in (self.center, self.spread))
        if values.ndim != 2 or not center.shape == spread.shape == values.shape[:1]:  # noqa: PLR2004
            raise ValueError(f"inputs {values.shape} do not fit figures {center.shape}, {spread.shape}")
        standards, shape = Standards(center.ctypes.data, spread.ctypes.data, LARGEST_INPUT), values.shape
        load_volatility().standardise_inputs(ctypes.byref(standards), values.ctypes.data, shape[1], shape[0])
