"""Volatility as the forecast: a scale known at the origin times quantiles pooled over all tickers.

The scale here is the simplest one, exponentially weighted and blended with the long run; other baselines share the
helpers.
"""

from collections.abc import Mapping
from typing import ClassVar, Final, Self

import numpy as np
import polars as pl

from internal.baselines.forecast import EVERY_ROW, Rows, future_log_returns_by_step, pool_step
from internal.errors import ArtifactError, InvalidRequestError
from internal.features.splits import Block
from internal.forecasting.quantiles import QUANTILES, STEPS, RowQuantiles

TABLE: Final = (len(STEPS), len(QUANTILES))
ROOT_STEPS: Final = np.sqrt(np.array(STEPS, np.float64))


def select_fold_rows(frame: pl.DataFrame, fold: Block) -> np.ndarray:
    """Which rows of the fold have a known volatility, bool [row]. Raises InvalidRequestError when none does."""
    rows = frame.select(pl.col("date").is_between(fold.first, fold.last) & pl.col("volatility").is_not_null())
    inside = rows.to_series().to_numpy()
    if not inside.any():
        raise InvalidRequestError(f"the training fold {fold.first}..{fold.last} has no row with a known volatility")
    return inside


def require_shapes(arrays: Mapping[str, np.ndarray], shapes: dict[str, tuple[int, ...]]) -> list[np.ndarray]:
    """The arrays by name, in order. Raises ArtifactError when one is missing, of another shape or not all numbers."""
    for name, shape in shapes.items():
        if name not in arrays or arrays[name].shape != shape:
            found = arrays[name].shape if name in arrays else "nothing"
            raise ArtifactError(f"the baseline's array {name} should have the shape {shape}, found {found}")
        if not np.isfinite(arrays[name]).all():
            raise ArtifactError(f"the baseline's array {name} holds what is no number: train again")
    return [arrays[name] for name in shapes]


class BlendedVolatility:
    """`volatility` of the panel (exponentially weighted, half blended with the long run) x pooled quantiles by step."""

    kind: ClassVar[str] = "blended_volatility"

    def __init__(self, cumulative: np.ndarray, daily: np.ndarray) -> None:
        """Takes the standardised quantiles of cumulative log and of daily simple returns, f64 [step, quantile]."""
        self.cumulative, self.daily = cumulative, daily

    @classmethod
    def fit(cls, frame: pl.DataFrame, *, fold: Block) -> Self:
        """Pool the standardised returns of the fold, one step after the other."""
        rows = select_fold_rows(frame, fold)
        scale, before = _volatility(frame)[rows, 0], 0.0
        cumulative, daily = np.empty((2, *TABLE))
        for step, ahead in enumerate(future_log_returns_by_step(frame, last=fold.last, rows=rows)):
            cumulative[step] = pool_step(ahead / (scale * ROOT_STEPS[step]))
            daily[step] = pool_step(np.expm1(ahead - before) / scale)
            before = ahead
        return cls(cumulative, daily)

    def quantiles(self, frame: pl.DataFrame, rows: Rows = EVERY_ROW) -> RowQuantiles:
        """Scale x pooled quantile."""
        scale = _volatility(frame)[rows, :, None]
        return RowQuantiles(scale * ROOT_STEPS[None, :, None] * self.cumulative, scale * self.daily)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The two tables of quantiles."""
        return {"cumulative": self.cumulative, "daily": self.daily}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Self:
        """Restore the tables."""
        cumulative, daily = require_shapes(arrays, {"cumulative": TABLE, "daily": TABLE})
        return cls(cumulative, daily)


def _volatility(frame: pl.DataFrame) -> np.ndarray:
    """The panel's volatility, f64 [row, 1]."""
    return frame.select(pl.col("volatility").fill_null(float("nan"))).to_numpy()
