"""The interface of a baseline, and the pooling of quantiles of standardised returns."""

from collections.abc import Iterator
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
    each = future_log_returns_by_step(frame, last=last, rows=rows)
    first = next(each)
    ahead = np.empty((len(first), len(STEPS)))
    ahead[:, 0] = first
    for place, values in enumerate(each, start=1):
        ahead[:, place] = values
    return ahead


def future_log_returns_by_step(frame: pl.DataFrame, *, last: object, rows: Rows = EVERY_ROW) -> Iterator[np.ndarray]:
    """The same one step after the other, f64 [row] each: of a whole market all steps take half a gigabyte."""
    traded = pl.when(pl.col("traded")).then(pl.col("date")).max().over("segment")
    until = frame.select(pl.min_horizontal(traded, pl.lit(last))).to_series().to_physical().to_numpy()
    day, segment = frame.get_column("date").to_physical().to_numpy(), frame.get_column("segment").to_numpy()
    close = frame.get_column("close").log().to_numpy()
    for step in STEPS:
        reached = (day[step:] <= until[:-step]) & (segment[step:] == segment[:-step])  # rows of a segment are adjacent
        ahead = np.full(len(close), np.nan)
        np.subtract(close[step:], close[:-step], out=ahead[:-step], where=reached)
        yield ahead[rows]


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
    return np.stack([pool_step((value / size)[rows]) for value, size in pairs])


def pool_step(standardised: np.ndarray) -> np.ndarray:
    """Quantiles of one step's values, f64 [quantile]; NaN are left out. The values are put in another order."""
    return np.asarray(np.nanquantile(standardised, QUANTILES, overwrite_input=True))
