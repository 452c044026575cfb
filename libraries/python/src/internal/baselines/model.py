"""A fitted baseline behind the interface that every kind of model offers."""

import numpy as np
import polars as pl

from internal.baselines.forecast import Baseline
from internal.forecasting.quantiles import RowQuantiles


class BaselineModel:
    """A baseline behind the interface of `QuantileModel`."""

    def __init__(self, baseline: Baseline) -> None:
        """Takes a fitted baseline."""
        self._baseline = baseline

    def predict(self, frame: pl.DataFrame, origins: np.ndarray) -> np.ndarray:
        """The baseline's forecasts at the origins."""
        return self.quantiles(frame, origins).cumulative

    def quantiles(self, frame: pl.DataFrame, origins: np.ndarray) -> RowQuantiles:
        """Both at the origins."""
        return self._baseline.quantiles(frame, origins)
