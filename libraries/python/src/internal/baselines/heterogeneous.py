"""HAR: the volatility of each coming session from averages of past volatility (Corsi 2009), x pooled quantiles.

One regression for each session ahead and one for each cumulative step give the scales; quantiles are pooled in units of
the scales. The inputs are `features.volatility_inputs` and `features.earnings_features`, fitted by `staged_ridge`.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import ClassVar, Final, Self

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from internal.baselines.adaptation import adaptive_factors, past_returns_ahead, widen_intervals
from internal.baselines.forecast import EVERY_ROW, future_log_returns, pool_quantiles, to_daily
from internal.baselines.staged_ridge import Design, cross_fit_log_variances, fit_staged_ridge, predict_log_variances
from internal.baselines.volatility import ROOT_STEPS, TABLE, require_shapes
from internal.errors import InvalidRequestError
from internal.features.earnings_features import EARNINGS_INPUT_COUNT, add_spikes, earnings_features_at
from internal.features.splits import Block
from internal.features.volatility_inputs import (
    INPUTS,
    SHARED_BY_DATE,
    add_group_columns,
    future_log_variance,
    select_inputs,
    volatility_inputs,
)
from internal.features.windows import find_origins
from internal.forecasting.quantiles import STEPS, RowQuantiles

LARGEST_INPUT: Final = 6.0
YEAR_OF_HISTORY: Final = 260  # sessions after which every earnings feature can be computed
PART_ROWS: Final = 32_768


@dataclass(frozen=True)
class Scales:
    """How far prices are expected to move from each row; NaN where history is too short.

    Attributes:
        cumulative: Of the log return from the row's close to the close `step` sessions on, f64 [row, step].
        daily: Of the one session `step` ahead, f64 [row, step].
    """

    cumulative: np.ndarray
    daily: np.ndarray

    def at(self, rows: np.ndarray) -> "Scales":
        """The scales of some rows."""
        return Scales(self.cumulative[rows], self.daily[rows])


@dataclass(frozen=True)
class HeterogeneousVolatility:
    """Ridge regressions of log range variance (Garman and Klass' plus the overnight gap), and pooled quantiles.

    Attributes:
        center: Mean of each input in the fold, f64 [input].
        spread: Its standard deviation, f64 [input].
        daily_coefficients: Of features, intercept, earnings features, history-available flag, f64 [coefficient, step].
        cumulative_coefficients: The same for the mean variance up to the step.
        daily: Quantiles of daily simple returns in units of their scale, f64 [step, quantile].
        cumulative: Quantiles of cumulative log returns in units of theirs, f64 [step, quantile].
    """

    center: np.ndarray
    spread: np.ndarray
    daily_coefficients: np.ndarray
    cumulative_coefficients: np.ndarray
    daily: np.ndarray
    cumulative: np.ndarray
    kind: ClassVar[str] = "heterogeneous_volatility"
    uses_earnings: ClassVar[bool] = False

    @classmethod
    def fit(cls, frame: pl.DataFrame, *, fold: Block) -> Self:
        """Fit regressions on the fold's origins, then pool their returns in units of out-of-sample scales."""
        ahead, inputs = future_log_returns(frame, last=fold.last), volatility_inputs(frame)
        targets = [future_log_variance(frame, STEPS, mean=mean) for mean in (False, True)]
        whole = np.all([np.isfinite(values).all(axis=1) for values in (ahead, inputs, *targets)], axis=0)
        origins = find_origins(frame, fold)
        rows = origins[whole[origins]]
        if not len(rows):
            raise InvalidRequestError(f"the training fold {fold.first}..{fold.last} has no row with a whole horizon")
        center, spread = inputs[rows].mean(axis=0), np.maximum(inputs[rows].std(axis=0), 1e-9)
        design = cls._design(add_spikes(frame), _standardise(inputs, center, spread))
        scales, every = _scales(cross_fit_log_variances(design, targets, rows)), np.arange(len(rows))
        daily = pool_quantiles(to_daily(ahead[rows]), scales.daily, every)
        cumulative = pool_quantiles(ahead[rows], scales.cumulative, every)
        for_daily, for_cumulative = fit_staged_ridge(design, targets, rows)
        return cls(center, spread, for_daily, for_cumulative, daily, cumulative)

    @classmethod
    def _design(cls, prepared: pl.DataFrame, standardised: np.ndarray) -> Design:
        """The explanatory variables of every row of whole segments with spikes."""
        age, session = prepared.get_column("age").to_numpy(), prepared.get_column("session").to_numpy()
        has_history = (age >= YEAR_OF_HISTORY) & cls.uses_earnings
        earnings = cls._earnings(prepared, has_history)
        return Design(standardised, np.array(SHARED_BY_DATE), earnings, has_history, session)

    @classmethod
    def _earnings(cls, prepared: pl.DataFrame, has_history: np.ndarray) -> list[list[np.ndarray]]:
        """Earnings features of each session ahead, and their maxima up to each session, f64 [row, feature] each.

        They are computed only for rows with one year of history, the last 60 of 320 sessions; the others are not read.
        """
        if not cls.uses_earnings:
            return [[np.empty((prepared.height, 0))] * len(STEPS)] * 2
        found = list(earnings_features_at(prepared, np.flatnonzero(has_history)))
        return [[_expand(one, has_history) for one in steps] for steps in (found, accumulate(found, np.maximum))]

    def scales(self, frame: pl.DataFrame) -> Scales:
        """The expected size of the moves from each row, a few tickers at a time, so that arrays fit a cache."""
        prepared, shape = add_spikes(add_group_columns(frame)), (frame.height, len(STEPS))
        whole = Scales(np.empty(shape), np.empty(shape))

        def fill(part: slice) -> None:
            found = self._part(prepared[part])
            whole.cumulative[part], whole.daily[part] = found.cumulative, found.daily

        _each_part(frame, fill)
        return whole

    def _part(self, prepared: pl.DataFrame) -> Scales:
        """The scales of whole segments."""
        design = self._design(prepared, _standardise(select_inputs(prepared), self.center, self.spread))
        fitted = [self.daily_coefficients, self.cumulative_coefficients]
        return _scales(predict_log_variances(design, fitted))

    def quantiles(self, frame: pl.DataFrame) -> RowQuantiles:
        """Fitted scale x pooled quantile."""
        return self.plain(self.scales(frame))

    def plain(self, scales: Scales) -> RowQuantiles:
        """Scales x pooled quantiles."""
        return RowQuantiles(scales.cumulative[:, :, None] * self.cumulative, scales.daily[:, :, None] * self.daily)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Everything that was fitted."""
        return dict(vars(self))

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Self:
        """Restore what was fitted."""
        inputs = (len(INPUTS),)
        fitted = (len(INPUTS) + 1 + EARNINGS_INPUT_COUNT * cls.uses_earnings + 1, len(STEPS))
        shapes: dict[str, tuple[int, ...]] = {
            "center": inputs,
            "spread": inputs,
            "daily_coefficients": fitted,
            "cumulative_coefficients": fitted,
            "daily": TABLE,
            "cumulative": TABLE,
        }
        return cls(*require_shapes(arrays, shapes))


class EarningsVolatility(HeterogeneousVolatility):
    """HAR with earnings features."""

    kind: ClassVar[str] = "clocked_volatility"
    uses_earnings: ClassVar[bool] = True


class AdaptiveVolatility(EarningsVolatility):
    """HAR with earnings features whose intervals adapt to their misses, see `baselines.adaptation`."""

    kind: ClassVar[str] = "adaptive_volatility"

    def quantiles(self, frame: pl.DataFrame) -> RowQuantiles:
        """Fitted scale x pooled quantile, each half of the interval x its adaptive factor."""
        scales = self.scales(frame)
        plain, (cumulative, daily) = self.plain(scales), self.factors(frame, scales)
        return RowQuantiles(widen_intervals(plain.cumulative, cumulative), widen_intervals(plain.daily, daily))

    def factors(
        self, frame: pl.DataFrame, scales: Scales, rows: np.ndarray | slice = EVERY_ROW
    ) -> tuple[np.ndarray, np.ndarray]:
        """Adaptive factors of the halves of cumulative and of daily intervals at some rows, f64 [row, step, half] each.

        Misses are counted in units of the scale, in which every row has the same quantiles.
        """
        truth = np.empty((frame.height, 2, len(STEPS)))

        def fill(part: slice) -> None:
            ahead = past_returns_ahead(frame[part])
            truth[part, 0] = ahead / scales.cumulative[part]
            truth[part, 1] = to_daily(ahead) / scales.daily[part]

        _each_part(frame, fill)
        factors = adaptive_factors(frame, np.stack([self.cumulative, self.daily]), truth, rows)
        return factors[:, 0], factors[:, 1]


def _each_part(frame: pl.DataFrame, fill: Callable[[slice], None]) -> None:
    """Call `fill` in parallel for parts of a frame, of about PART_ROWS rows, that hold whole segments."""
    ends = frame.get_column("segment").rle().struct.field("len").cast(pl.Int64).cum_sum().to_numpy()
    bounds = [0, *ends[:-1][np.diff(ends // PART_ROWS) > 0].tolist(), frame.height]
    parts = [slice(first, last) for first, last in pairwise(bounds)]
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(pl.thread_pool_size()) as pool:  # BLAS threads would spin
        list(pool.map(fill, parts))  # a list, so that an error is raised


def _expand(values: np.ndarray, selected: np.ndarray) -> np.ndarray:
    """The values of the selected rows at their places among all rows, f64 [row, column]; undefined elsewhere."""
    whole = np.empty((len(selected), values.shape[1]))
    whole[selected] = values
    return whole


def _standardise(inputs: np.ndarray, center: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Inputs in standard deviations, f64 [row, input]."""
    standardised = inputs - center
    standardised /= spread
    return np.asarray(np.clip(standardised, -LARGEST_INPUT, LARGEST_INPUT, out=standardised))


def _scales(log_variances_of: list[np.ndarray]) -> Scales:
    """Scales from log variances of single sessions and of means up to each step: half a log variance is a log scale."""
    daily, cumulative = (np.exp(one / 2) for one in log_variances_of)
    return Scales(cumulative * ROOT_STEPS, daily)
