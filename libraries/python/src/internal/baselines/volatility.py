"""Volatility as the forecast: a scale known at the origin times quantiles pooled over all tickers.

Knows two scales: the exponentially weighted one blended with the long run, and HAR's (Corsi 2009) from log range
volatility. Knows nothing of networks.
"""

from collections.abc import Mapping
from typing import ClassVar, Final, Self

import numpy as np
import polars as pl

from internal.baselines.forecast import (
    QUANTILES,
    STEPS,
    RowQuantiles,
    future_log_returns,
    pooled_quantiles,
    to_daily,
)
from internal.errors import ArtifactError, InvalidRequestError
from internal.features.splits import Block
from internal.features.variables import daily_range_variance

RIDGE: Final = 10.0
VARIANCE_FLOOR: Final = 1e-7
HAR_WINDOWS: Final = (1, 5, 10, 22, 66, 252)
ROOT_STEPS: Final = np.sqrt(np.array(STEPS, np.float64))


def _fold_rows(frame: pl.DataFrame, fold: Block) -> np.ndarray:
    rows = frame.select(pl.col("date").is_between(fold.first, fold.last) & pl.col("volatility").is_not_null())
    inside = rows.to_series().to_numpy()
    if not inside.any():
        raise InvalidRequestError(f"the training fold {fold.first}..{fold.last} has no row with a known volatility")
    return inside


def _checked(arrays: Mapping[str, np.ndarray], shapes: dict[str, tuple[int, ...]]) -> list[np.ndarray]:
    for name, shape in shapes.items():
        if name not in arrays or arrays[name].shape != shape:
            found = arrays[name].shape if name in arrays else "nothing"
            raise ArtifactError(f"the baseline's array {name} should have the shape {shape}, found {found}")
    return [arrays[name] for name in shapes]


class BlendedVolatility:
    """`volatility` of the panel (exponentially weighted, half blended with the long run) x pooled quantiles by step."""

    kind: ClassVar[str] = "blended_volatility"

    def __init__(self, cumulative: np.ndarray, daily: np.ndarray) -> None:
        """Takes the standardised quantiles of cumulative log and of daily simple returns, f64 [step, quantile]."""
        self.cumulative, self.daily = cumulative, daily

    @classmethod
    def fit(cls, frame: pl.DataFrame, *, fold: Block) -> Self:
        """Pool the standardised returns of the fold."""
        rows, ahead, scale = _fold_rows(frame, fold), future_log_returns(frame, last=fold.last), _volatility(frame)
        return cls(pooled_quantiles(ahead, scale * ROOT_STEPS, rows), pooled_quantiles(to_daily(ahead), scale, rows))

    def quantiles(self, frame: pl.DataFrame) -> RowQuantiles:
        """Scale x pooled quantile."""
        scale = _volatility(frame)[:, :, None]
        return RowQuantiles(scale * ROOT_STEPS[None, :, None] * self.cumulative, scale * self.daily)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The two tables of quantiles."""
        return {"cumulative": self.cumulative, "daily": self.daily}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Self:
        """Restore the tables."""
        table = (len(STEPS), len(QUANTILES))
        cumulative, daily = _checked(arrays, {"cumulative": table, "daily": table})
        return cls(cumulative, daily)


def _volatility(frame: pl.DataFrame) -> np.ndarray:
    """The panel's volatility, f64 [row, 1]."""
    return frame.select(pl.col("volatility").fill_null(float("nan"))).to_numpy()


class HeterogeneousVolatility:
    """HAR: ridge per step of log range volatility on its own averages over 1..252 sessions, x pooled quantiles.

    The variance is Garman and Klass' plus the overnight gap. Beside its averages stand squared returns, the volume's
    surprise, the sign of the last week, and the market's average variance.
    """

    kind: ClassVar[str] = "heterogeneous_volatility"

    def __init__(self, coefficients: np.ndarray, cumulative: np.ndarray, daily: np.ndarray) -> None:
        """Takes coefficients f64 [input + 1, step] (the last is the intercept) and two tables f64 [step, quantile]."""
        self.coefficients, self.cumulative, self.daily = coefficients, cumulative, daily

    @classmethod
    def fit(cls, frame: pl.DataFrame, *, fold: Block) -> Self:
        """Ridge on the fold's rows, then pool the returns in units of the fitted scale."""
        rows, ahead = _fold_rows(frame, fold), future_log_returns(frame, last=fold.last)
        inputs, answer = _har_inputs(frame), _log_future_variance(frame)
        usable = rows & np.isfinite(ahead).all(axis=1) & np.isfinite(answer).all(axis=1)
        if not usable.any():
            raise InvalidRequestError(f"the training fold {fold.first}..{fold.last} has no row with a whole horizon")
        coefficients = _ridge(inputs[usable], answer[usable])
        scale = np.exp(inputs @ coefficients / 2)
        return cls(
            coefficients,
            pooled_quantiles(ahead, scale * ROOT_STEPS, usable),
            pooled_quantiles(to_daily(ahead), scale, usable),
        )

    def quantiles(self, frame: pl.DataFrame) -> RowQuantiles:
        """Fitted scale x pooled quantile."""
        scale = np.exp(_har_inputs(frame) @ self.coefficients / 2)[:, :, None]
        return RowQuantiles(scale * ROOT_STEPS[None, :, None] * self.cumulative, scale * self.daily)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Coefficients and the two tables."""
        return {"coefficients": self.coefficients, "cumulative": self.cumulative, "daily": self.daily}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Self:
        """Restore coefficients and tables."""
        table, fitted = (len(STEPS), len(QUANTILES)), (len(_har_expressions()) + 1, len(STEPS))
        coefficients, cumulative, daily = _checked(
            arrays, {"coefficients": fitted, "cumulative": table, "daily": table}
        )
        return cls(coefficients, cumulative, daily)


def _mean(values: pl.Expr, window: int) -> pl.Expr:
    mean = values.rolling_mean(window, min_samples=min(window, 20)).over("segment")
    return mean.clip(VARIANCE_FLOOR).log()


def _har_expressions() -> list[pl.Expr]:
    own = [_mean(pl.col("variance"), window) for window in HAR_WINDOWS]
    squared = [_mean(pl.col("log_return").pow(2), window) for window in (5, 22)]
    overnight = [_mean(pl.col("past_open").pow(2), 22)]
    market = [_mean(pl.col("variance").mean().over("date"), window) for window in (1, 22)]
    week = pl.col("log_return").rolling_sum(5, min_samples=5).over("segment") / pl.col("volatility")
    blend = [2 * pl.col("volatility").log()]
    return [*own, *squared, *overnight, *market, *blend, week, week.abs(), pl.col("past_volume_surprise")]


def _har_inputs(frame: pl.DataFrame) -> np.ndarray:
    """HAR's inputs and a one for the intercept, f64 [row, input + 1]; NaN where history is too short."""
    expressions = [expression.alias(str(place)) for place, expression in enumerate(_har_expressions())]
    inputs = frame.with_columns(variance=daily_range_variance()).select(*expressions, intercept=pl.lit(1.0))
    return inputs.fill_null(float("nan")).to_numpy()


def _log_future_variance(frame: pl.DataFrame) -> np.ndarray:
    """Log mean variance of the next 1..7 sessions, f64 [row, step]."""
    ahead = [
        pl.col("variance").rolling_mean(step).shift(-step).over("segment").clip(VARIANCE_FLOOR).log().alias(str(step))
        for step in STEPS
    ]
    return frame.with_columns(variance=daily_range_variance()).select(ahead).fill_null(float("nan")).to_numpy()


def _ridge(inputs: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """Ridge regression with an unpenalised intercept in the last column, f64 [input + 1, step]."""
    penalty = np.diag([*np.full(inputs.shape[1] - 1, RIDGE), 0.0])
    return np.asarray(np.linalg.solve(inputs.T @ inputs + penalty, inputs.T @ answer))
