"""A forecast that waits in files until it is scored: that of 8,000 tickers takes half a gigabyte."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from internal.forecasting.quantiles import RowQuantiles
from internal.scratch_arrays import ScratchArray


@dataclass(frozen=True)
class StoredForecast:
    """The quantiles of both measures in numbers of 32 bits, f32 [row, step, quantile]."""

    cumulative: ScratchArray
    daily: ScratchArray

    @classmethod
    def of(cls, forecast: RowQuantiles) -> Self:
        """Store a forecast."""
        return cls(_store(forecast.cumulative), _store(forecast.daily))

    def read(self, rows: np.ndarray) -> RowQuantiles:
        """The forecast of some rows, bool [row]."""
        return RowQuantiles(_read(self.cumulative, rows), _read(self.daily, rows))


def _store(quantiles: np.ndarray) -> ScratchArray:
    stored = ScratchArray(quantiles.shape, np.float32)
    for part in stored.parts():
        stored.values[part] = quantiles[part]
    return stored


def _read(stored: ScratchArray, rows: np.ndarray) -> np.ndarray:
    found, first = np.empty((int(rows.sum()), *stored.values.shape[1:]), np.float32), 0
    for part in stored.parts():
        some = stored.values[part][rows[part]]
        found[first : first + len(some)] = some
        first += len(some)
    return found
