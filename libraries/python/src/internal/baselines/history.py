"""History as the forecast: the empirical quantiles of a ticker's own past returns, in rolling or expanding windows."""

from typing import ClassVar, Final, Self

import numpy as np
import polars as pl

from internal.baselines.forecast import EVERY_ROW, Rows
from internal.features.splits import Block
from internal.forecasting.quantiles import QUANTILES, STEPS, RowQuantiles

MINIMUM_SESSIONS: Final = 40


def _history(frame: pl.DataFrame, window: int, rows: Rows) -> RowQuantiles:
    """Quantiles over the returns of 1..7 sessions that ended within the last `window` sessions, at some rows."""
    close = pl.col("close").log()
    cumulative = np.stack([_quantiles(frame, close.diff(step), window)[rows] for step in STEPS], axis=1)
    daily = _quantiles(frame, pl.col("past_daily_return"), window)[rows]
    return RowQuantiles(cumulative, np.broadcast_to(daily[:, None, :], cumulative.shape))


def _quantiles(frame: pl.DataFrame, values: pl.Expr, window: int) -> np.ndarray:
    """Rolling quantiles of one series of values at every row, f64 [row, quantile]."""
    named = {str(quantile): _quantile(values, quantile, window) for quantile in QUANTILES}
    return frame.select(**named).fill_null(float("nan")).to_numpy()


def _quantile(values: pl.Expr, quantile: float, window: int) -> pl.Expr:
    rolling = values.rolling_quantile(quantile, "linear", window_size=window, min_samples=MINIMUM_SESSIONS)
    return rolling.over("segment")


class RollingHistory:
    """The quantiles of the ticker's last 252 sessions."""

    kind: ClassVar[str] = "rolling_history"
    window: ClassVar[int] = 252

    @classmethod
    def fit(cls, frame: pl.DataFrame, *, fold: Block) -> Self:
        """Return the baseline: history is read from the frame that is forecast, so that nothing is fitted."""
        del frame, fold
        return cls()

    def quantiles(self, frame: pl.DataFrame, rows: Rows = EVERY_ROW) -> RowQuantiles:
        """Empirical quantiles within the window, linear interpolation."""
        return _history(frame, self.window, rows)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The window's length, so that the artifact says what it was."""
        return {"window": np.array([self.window], np.int64)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Self:
        """Nothing to restore."""
        del arrays
        return cls()


class ExpandingHistory(RollingHistory):
    """The quantiles of all of the ticker's history in the frame."""

    kind: ClassVar[str] = "expanding_history"
    window: ClassVar[int] = 10_000
