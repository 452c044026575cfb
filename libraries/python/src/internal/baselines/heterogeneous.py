"""HAR: the volatility of each coming session from averages of past volatility (Corsi 2009), x pooled quantiles.

Knows the scales that regressions of each session ahead and of each cumulative step give, and quantiles in their units.
The inputs are `features.volatility_inputs` and `features.earnings_features`; `staged_ridge` fits them. Knows nothing of
networks; they may stand on its scales.
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
LONG_MEMORY: Final = 260  # sessions after which the clock of a year is full
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
        """Those of some rows."""
        return Scales(self.cumulative[rows], self.daily[rows])


@dataclass(frozen=True)
class HeterogeneousVolatility:
    """Ridge regressions of log range variance (Garman and Klass' plus the overnight gap), and pooled quantiles.

    Attributes:
        center: Mean of each input in the fold, f64 [input].
        spread: Its standard deviation, f64 [input].
        daily_coefficients: Of inputs, one, the clock's inputs and its being awake, f64 [input + 1 + clock + 1, step].
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
    reads_clock: ClassVar[bool] = False

    @classmethod
    def fit(cls, frame: pl.DataFrame, *, fold: Block) -> Self:
        """Regressions on the fold's origins, then their returns pooled in units of scales that have not seen them."""
        ahead, inputs = future_log_returns(frame, last=fold.last), volatility_inputs(frame)
        answers = [future_log_variance(frame, STEPS, mean=mean) for mean in (False, True)]
        whole = np.all([np.isfinite(values).all(axis=1) for values in (ahead, inputs, *answers)], axis=0)
        origins = find_origins(frame, fold)
        rows = origins[whole[origins]]
        if not len(rows):
            raise InvalidRequestError(f"the training fold {fold.first}..{fold.last} has no row with a whole horizon")
        center, spread = inputs[rows].mean(axis=0), np.maximum(inputs[rows].std(axis=0), 1e-9)
        design = cls._design(add_spikes(frame), _standardised(inputs, center, spread))
        scales, every = _scales(cross_fit_log_variances(design, answers, rows)), np.arange(len(rows))
        daily = pool_quantiles(to_daily(ahead[rows]), scales.daily, every)
        cumulative = pool_quantiles(ahead[rows], scales.cumulative, every)
        for_daily, for_cumulative = fit_staged_ridge(design, answers, rows)
        return cls(center, spread, for_daily, for_cumulative, daily, cumulative)

    @classmethod
    def _design(cls, prepared: pl.DataFrame, standardised: np.ndarray) -> Design:
        """What variances are explained by, for every row of some whole segments that know their spikes."""
        age, session = prepared.get_column("age").to_numpy(), prepared.get_column("session").to_numpy()
        awake = (age >= LONG_MEMORY) & cls.reads_clock
        return Design(standardised, np.array(SHARED_BY_DATE), cls._clocks(prepared, awake), awake, session)

    @classmethod
    def _clocks(cls, prepared: pl.DataFrame, awake: np.ndarray) -> list[list[np.ndarray]]:
        """The clock's inputs of each session ahead, and the largest of all sessions up to it, f64 [row, input] each.

        Only rows that are awake are filled in, the last 60 of 320 sessions: the others are never read.
        """
        if not cls.reads_clock:
            return [[np.empty((prepared.height, 0))] * len(STEPS)] * 2
        heard = list(earnings_features_at(prepared, np.flatnonzero(awake)))
        return [[_spread(one, awake) for one in steps] for steps in (heard, accumulate(heard, np.maximum))]

    def scales(self, frame: pl.DataFrame) -> Scales:
        """The expected size of the moves from each row; a few tickers at a time, whose arrays fit a core's cache."""
        prepared, shape = add_spikes(add_group_columns(frame)), (frame.height, len(STEPS))
        whole = Scales(np.empty(shape), np.empty(shape))

        def fill(part: slice) -> None:
            found = self._part(prepared[part])
            whole.cumulative[part], whole.daily[part] = found.cumulative, found.daily

        _each_part(frame, fill)
        return whole

    def _part(self, prepared: pl.DataFrame) -> Scales:
        """Those of some whole segments."""
        design = self._design(prepared, _standardised(select_inputs(prepared), self.center, self.spread))
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
        fitted = (len(INPUTS) + 1 + EARNINGS_INPUT_COUNT * cls.reads_clock + 1, len(STEPS))
        shapes: dict[str, tuple[int, ...]] = {
            "center": inputs,
            "spread": inputs,
            "daily_coefficients": fitted,
            "cumulative_coefficients": fitted,
            "daily": TABLE,
            "cumulative": TABLE,
        }
        return cls(*require_shapes(arrays, shapes))


class ClockedVolatility(HeterogeneousVolatility):
    """HAR that also reads the earnings clock."""

    kind: ClassVar[str] = "clocked_volatility"
    reads_clock: ClassVar[bool] = True


class AdaptiveVolatility(ClockedVolatility):
    """The same with intervals that follow their own misses, see `baselines.adaptation`."""

    kind: ClassVar[str] = "adaptive_volatility"

    def quantiles(self, frame: pl.DataFrame) -> RowQuantiles:
        """Fitted scale x pooled quantile, each half of the interval x what its recent misses ask for."""
        scales = self.scales(frame)
        plain, (cumulative, daily) = self.plain(scales), self.factors(frame, scales)
        return RowQuantiles(widen_intervals(plain.cumulative, cumulative), widen_intervals(plain.daily, daily))

    def factors(
        self, frame: pl.DataFrame, scales: Scales, rows: np.ndarray | slice = EVERY_ROW
    ) -> tuple[np.ndarray, np.ndarray]:
        """Of the halves of cumulative and of daily intervals at some rows, f64 [row, step, half] each.

        Misses are counted in units of the scale: there every row has the same quantiles.
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
    """Do it for all rows of a frame, side by side for parts of about PART_ROWS rows that hold whole segments."""
    ends = frame.get_column("segment").rle().struct.field("len").cast(pl.Int64).cum_sum().to_numpy()
    bounds = [0, *ends[:-1][np.diff(ends // PART_ROWS) > 0].tolist(), frame.height]
    parts = [slice(first, last) for first, last in pairwise(bounds)]
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(pl.thread_pool_size()) as pool:  # BLAS' own threads spin
        list(pool.map(fill, parts))  # a list, so that an error is raised


def _spread(heard: np.ndarray, awake: np.ndarray) -> np.ndarray:
    """What was heard in the rows that are awake, f64 [row, input]; anything elsewhere."""
    whole = np.empty((len(awake), heard.shape[1]))
    whole[awake] = heard
    return whole


def _standardised(inputs: np.ndarray, center: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Inputs in standard deviations, f64 [row, input]."""
    standardised = inputs - center
    standardised /= spread
    return np.asarray(np.clip(standardised, -LARGEST_INPUT, LARGEST_INPUT, out=standardised))


def _scales(log_variances_of: list[np.ndarray]) -> Scales:
    """Half a log variance is a log scale: from those of single sessions and of means up to each step."""
    daily, cumulative = (np.exp(one / 2) for one in log_variances_of)
    return Scales(cumulative * ROOT_STEPS, daily)
