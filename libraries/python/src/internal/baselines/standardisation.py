"""Inputs in standard deviations of a fold, with outliers clipped."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

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
        """Inputs in standard deviations, f64 [row, input]; NaN stays."""
        return _standardise(inputs, self.center, self.spread, np.empty_like(inputs))

    def apply_to(self, place: int, values: np.ndarray) -> None:
        """The same for the values of the input at a place, f64 [row], which are overwritten."""
        _standardise(values, self.center[place], self.spread[place], values)


def _standardise(
    inputs: np.ndarray, center: np.ndarray | float, spread: np.ndarray | float, out: np.ndarray
) -> np.ndarray:
    np.subtract(inputs, center, out=out)
    out /= spread
    np.maximum(out, -LARGEST_INPUT, out=out)
    return np.minimum(out, LARGEST_INPUT, out=out)
