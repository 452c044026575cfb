"""The interface of a baseline, and the pooling of quantiles of standardised returns."""

from typing import ClassVar, Final, Protocol, Self

import numpy as np
import polars as pl

from internal.features.splits import Block
from internal.forecasting.quantiles import QUANTILES, STEPS, RowQuantiles

type Rows = np.ndarray | slice  # row numbers of a frame, i64 [row]
EVERY_ROW: Final = slice(None)


class Baseline(Protocol):
    """A forecast without a network: fitted on a block of an observed panel, then read at any row."""

    kind: ClassVar[str]

    @classmethod
    def fit(cls, frame: pl.DataFrame, *, fold: Block) -> Self:
        """Fit on origins inside the fold. **Guard:** labels that reach beyond the fold's last date are not used."""
        ...

    def quantiles(self, frame: pl.DataFrame, rows: Rows = EVERY_ROW) -> RowQuantiles:
        """Forecast from some rows, each from itself and earlier ones of the frame that `variables.observe` returned."""
        ...

    def to_arrays(self) -> dict[str, np.ndarray]:
        """What was fitted, to be stored in an artifact."""
        ...

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Self:
        """The inverse of `to_arrays`. Raises ArtifactError when something is missing or has another shape."""
        ...


def future_log_returns(frame: pl.DataFrame, *, last: object) -> np.ndarray:
    """Cumulative log returns from each row, f64 [row, step]; NaN beyond the segment's last trade or after `last`."""
    close = pl.col("close").log()
    traded = pl.when(pl.col("traded")).then(pl.col("date")).max().over("segment")
    ahead = [
        pl.when(pl.col("date").shift(-step) <= pl.min_horizontal(traded, pl.lit(last)))
        .then(close.shift(-step) - close)
        .over("segment")
        .alias(f"step_{step}")
        for step in STEPS
    ]
    return frame.select(ahead).fill_null(float("nan")).to_numpy()


def to_daily(cumulative: np.ndarray) -> np.ndarray:
    """Simple returns of each single session from cumulative log returns, [row, step] to [row, step]."""
    steps = np.diff(cumulative, axis=1, prepend=0.0)
    return np.asarray(np.expm1(steps))


def pool_quantiles(values: np.ndarray, scale: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Quantiles of values / scale by step over the rows of all tickers, f64 [step, quantile]; NaN rows are left out."""
    standardised = (values / scale)[rows]
    return np.asarray(np.nanquantile(standardised, QUANTILES, axis=0).T)
