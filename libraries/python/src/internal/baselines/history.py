"""History as the forecast: the empirical quantiles of a ticker's own past returns, in rolling or expanding windows."""

from typing import ClassVar, Final, Self

import numpy as np
import polars as pl

from internal.baselines.forecast import EVERY_ROW, Rows
from internal.features.splits import Block
from internal.features.windows import HORIZON
from internal.forecasting.quantiles import QUANTILES, STEPS, RowQuantiles

MINIMUM_SESSIONS: Final = 40


def _history(frame: pl.DataFrame, window: int, rows: Rows) -> RowQuantiles:
    """Quantiles over the returns of 1..7 sessions that ended within the last `window` sessions, at some rows."""
    first, last = _find_sessions(frame, window, rows)
    read = frame.select("segment", "past_daily_return", inside=pl.col("session").is_between(first, last))
    recent = read.with_columns(close=frame.get_column("close").log()).filter("inside")
    places = (np.cumsum(read.get_column("inside").to_numpy()) - 1)[rows]
    cumulative = np.empty((len(places), len(STEPS), len(QUANTILES)))
    for number, step in enumerate(STEPS):
        cumulative[:, number] = _quantiles(recent, pl.col("close").diff(step), window, places)
    daily = _quantiles(recent, pl.col("past_daily_return"), window, places)
    return RowQuantiles(cumulative, np.broadcast_to(daily[:, None, :], cumulative.shape))


def _find_sessions(frame: pl.DataFrame, window: int, rows: Rows) -> tuple[int, int]:
    """The first and the last session that the forecasts at some rows read."""
    asked = frame.get_column("session").to_numpy()[rows]
    return (int(asked.min()) - window - HORIZON, int(asked.max())) if len(asked) else (0, 0)


def _quantiles(frame: pl.DataFrame, values: pl.Expr, window: int, places: np.ndarray) -> np.ndarray:
    """Rolling quantiles of one series of values at some rows, f64 [row, quantile], computed one after the other."""
    found = np.empty((len(places), len(QUANTILES)))
    for number, quantile in enumerate(QUANTILES):
        rolling = values.rolling_quantile(quantile, "linear", window_size=window, min_samples=MINIMUM_SESSIONS)
        every = frame.select(rolling.over("segment").fill_null(float("nan"))).to_series()
        found[:, number] = every.to_numpy()[places]
    return found


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
