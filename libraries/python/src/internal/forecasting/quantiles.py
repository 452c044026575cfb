"""Quantile forecasts: their levels, their steps, and the interface of the models that make them."""

from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

import numpy as np
import polars as pl

from internal.features.windows import HORIZON
from internal.forecasting.explanation import ExplanationWeights

QUANTILES: Final = (0.1, 0.5, 0.9)
QUANTILE_COLUMNS: Final = {f"quantile_{round(100 * level)}": level for level in QUANTILES}  # of the predictions frame
STEPS: Final = tuple(range(1, HORIZON + 1))


@dataclass(frozen=True)
class RowQuantiles:
    """Forecasts at every row of a panel, NaN where there is too little history.

    Attributes:
        cumulative: Log return from the row's close to the close `step` sessions later, f64 [row, step, quantile].
        daily: Simple return of that one session, f64 [row, step, quantile].
    """

    cumulative: np.ndarray
    daily: np.ndarray


class QuantileModel(Protocol):
    """A model of any kind: quantiles of cumulative log returns at some rows of an observed panel."""

    def predict(self, frame: pl.DataFrame, origins: np.ndarray) -> np.ndarray:
        """Forecast from rows of what `variables.observe` returned.

        Args:
            frame: The observed panel, sorted by ticker and date.
            origins: i64 [n], row numbers with enough history.

        Returns:
            f64 [n, horizon, quantile], cumulative log returns from the row's close, ordered along the last axis.
        """
        ...

    def quantiles(self, frame: pl.DataFrame, origins: np.ndarray) -> RowQuantiles:
        """The same, with the simple returns of each single session as well; one row an origin."""
        ...


@runtime_checkable
class ExplainingModel(Protocol):
    """A `QuantileModel` that has weights to show; baselines have none."""

    def explain(self, frame: pl.DataFrame, origins: np.ndarray, place: int) -> ExplanationWeights:
        """ExplanationWeights of the forecast at `origins[place]`; the other origins are those forecast with it."""
        ...
