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


def future_log_returns(frame: pl.DataFrame, *, last: object, rows: Rows = EVERY_ROW) -> np.ndarray:
    """Cumulative log returns from some rows, f64 [row, step]; NaN beyond the segment's last trade or after `last`."""
    traded = pl.when(pl.col("traded")).then(pl.col("date")).max().over("segment")
    known = frame.select("date", "segment", close=pl.col("close").log(), until=pl.min_horizontal(traded, pl.lit(last)))
    ahead = [np.empty(0)] * len(STEPS)
    for place, step in enumerate(STEPS):  # one by one, so that no more than one step of every row is in memory
        reached = pl.col("date").shift(-step) <= pl.col("until")
        change = pl.when(reached).then(pl.col("close").shift(-step) - pl.col("close")).over("segment")
        ahead[place] = known.select(change.fill_null(float("nan"))).to_series().to_numpy()[rows]
    return np.stack(ahead, axis=1)


def to_daily(cumulative: np.ndarray) -> np.ndarray:
    """Simple returns of each single session from cumulative log returns, [row, step] to [row, step]."""
    steps = np.empty_like(cumulative, order="C")
    flat = np.ascontiguousarray(cumulative).reshape(-1)
    np.subtract(flat[1:], flat[:-1], out=steps.reshape(-1)[1:])  # one long subtraction is faster than many short ones
    steps[:, 0] = cumulative[:, 0]
    return np.asarray(np.expm1(steps, out=steps))


def pool_quantiles(values: np.ndarray, scale: np.ndarray, rows: Rows = EVERY_ROW) -> np.ndarray:
    """Quantiles of values / scale by step over rows of all tickers, f64 [step, quantile]; NaN are left out."""
    pairs = zip(values.T, np.broadcast_to(scale, values.shape).T, strict=True)  # step by step, to hold one at a time
    return np.stack([np.nanquantile((value / size)[rows], QUANTILES) for value, size in pairs])
