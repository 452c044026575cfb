"""HAR: the volatility of each coming session from averages of past volatility (Corsi 2009), x pooled quantiles.

Knows ridge regressions, one for each session ahead and one for each cumulative step, and the scales that they give.
The inputs are `features.volatility_inputs` and `features.earnings_clock`. Knows nothing of networks; they may stand on
its scales.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import ClassVar, Final, Self

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from internal.baselines.adaptation import EVERY_ROW, adaptive_factors, past_returns_ahead, widened
from internal.baselines.forecast import QUANTILES, STEPS, RowQuantiles, future_log_returns, pooled_quantiles, to_daily
from internal.baselines.volatility import ROOT_STEPS, TABLE, checked
from internal.errors import InvalidRequestError
from internal.features.earnings_clock import CLOCK_INPUTS, earnings_clock
from internal.features.splits import Block
from internal.features.volatility_inputs import INPUTS, future_log_variance, inputs_of, volatility_inputs, with_groups
from internal.features.windows import find_origins

RIDGE: Final = 1000.0
LARGEST_INPUT: Final = 6.0
LONG_MEMORY: Final = 260  # sessions after which every average and the clock of a year are full
ENOUGH_ROWS: Final = 20_000
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
        daily_coefficients: f64 [input + 1 + clock's input, step].
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
        """Ridge on the fold's origins, then pool their returns in units of the fitted scales."""
        ahead, inputs = future_log_returns(frame, last=fold.last), volatility_inputs(frame)
        answers = [future_log_variance(frame, STEPS, mean=mean) for mean in (False, True)]
        whole = np.all([np.isfinite(values).all(axis=1) for values in (ahead, inputs, *answers)], axis=0)
        rows = _well_remembered(frame, find_origins(frame, fold), whole)
        if not len(rows):
            raise InvalidRequestError(f"the training fold {fold.first}..{fold.last} has no row with a whole horizon")
        center, spread = inputs[rows].mean(axis=0), np.maximum(inputs[rows].std(axis=0), 1e-9)
        standardised, clocks = _standardised(inputs, center, spread), cls._clocks(frame)
        fitted = [
            np.stack([_ridge(standardised[rows], clock[rows], answer[rows, step]) for step, clock in enumerate(one)], 1)
            for one, answer in zip(clocks, answers, strict=True)
        ]
        scales = _scales(standardised, clocks, fitted)
        daily = pooled_quantiles(to_daily(ahead), scales.daily, rows)
        cumulative = pooled_quantiles(ahead, scales.cumulative, rows)
        return cls(center, spread, fitted[0], fitted[1], daily, cumulative)

    @classmethod
    def _clocks(cls, frame: pl.DataFrame) -> list[list[np.ndarray]]:
        """The clock's inputs of each session ahead, and the largest of all sessions up to it, f64 [row, input] each."""
        if not cls.reads_clock:
            return [[np.empty((frame.height, 0))] * len(STEPS)] * 2
        session = list(earnings_clock(frame))
        return [session, list(accumulate(session, np.maximum))]

    def scales(self, frame: pl.DataFrame) -> Scales:
        """The expected size of the moves from each row; a few tickers at a time, whose arrays fit a core's cache."""
        grouped, bounds = with_groups(frame), _segment_bounds(frame)
        parts = [grouped[first:last] for first, last in pairwise(bounds)]
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(pl.thread_pool_size()) as pool:  # BLAS' own threads spin
            found = list(pool.map(self._part, parts))
        return Scales(np.concatenate([one.cumulative for one in found]), np.concatenate([one.daily for one in found]))

    def _part(self, grouped: pl.DataFrame) -> Scales:
        """Those of some whole segments."""
        standardised = _standardised(inputs_of(grouped), self.center, self.spread)
        return _scales(standardised, self._clocks(grouped), [self.daily_coefficients, self.cumulative_coefficients])

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
        fitted = (len(INPUTS) + CLOCK_INPUTS * cls.reads_clock + 1, len(STEPS))
        shapes: dict[str, tuple[int, ...]] = {
            "center": inputs,
            "spread": inputs,
            "daily_coefficients": fitted,
            "cumulative_coefficients": fitted,
            "daily": TABLE,
            "cumulative": TABLE,
        }
        return cls(*checked(arrays, shapes))


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
        return RowQuantiles(widened(plain.cumulative, cumulative), widened(plain.daily, daily))

    def factors(
        self, frame: pl.DataFrame, scales: Scales, rows: np.ndarray | slice = EVERY_ROW
    ) -> tuple[np.ndarray, np.ndarray]:
        """Of the halves of cumulative and of daily intervals at some rows, f64 [row, step, half] each.

        Misses are counted in units of the scale: there every row has the same quantiles.
        """
        ahead = past_returns_ahead(frame)
        truths = (self.cumulative, ahead / scales.cumulative), (self.daily, to_daily(ahead) / scales.daily)
        cumulative, daily = (
            adaptive_factors(frame, np.broadcast_to(pooled, (*truth.shape, len(QUANTILES))), truth, rows)
            for pooled, truth in truths
        )
        return cumulative, daily


def _segment_bounds(frame: pl.DataFrame) -> list[int]:
    """Rows at which parts of about PART_ROWS rows begin and end, none inside a segment."""
    ends = frame.get_column("segment").rle().struct.field("len").cast(pl.Int64).cum_sum().to_numpy()
    return [0, *ends[:-1][np.diff(ends // PART_ROWS) > 0].tolist(), frame.height]


def _well_remembered(frame: pl.DataFrame, origins: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """The origins with whole inputs and answers; only those with a year behind them where these are enough."""
    usable = origins[whole[origins]]
    full = usable[frame.get_column("age").to_numpy()[usable] >= LONG_MEMORY]
    return np.asarray(full if len(full) >= ENOUGH_ROWS else usable)


def _standardised(inputs: np.ndarray, center: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Inputs in standard deviations, f64 [row, input + 1], and a one for the intercept at the end."""
    scaled = np.clip((inputs - center) / spread, -LARGEST_INPUT, LARGEST_INPUT)
    return np.concatenate([scaled, np.ones((len(inputs), 1))], axis=1)


def _ridge(standardised: np.ndarray, clock: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """Ridge regression with an unpenalised intercept, f64 [input + 1 + clock's input]."""
    inputs = np.concatenate([standardised, clock], axis=1)
    penalty = np.full(inputs.shape[1], RIDGE)
    penalty[standardised.shape[1] - 1] = 0.0
    return np.asarray(np.linalg.solve(inputs.T @ inputs + np.diag(penalty), inputs.T @ answer))


def _scales(standardised: np.ndarray, clocks: list[list[np.ndarray]], fitted: list[np.ndarray]) -> Scales:
    """Coefficients times inputs, the clock's after the others; half a log variance is a log scale."""
    daily, cumulative = (
        standardised @ coefficients[: standardised.shape[1]] + _from_clock(one, coefficients[standardised.shape[1] :])
        for one, coefficients in zip(clocks, fitted, strict=True)
    )
    return Scales(np.exp(cumulative / 2) * ROOT_STEPS, np.exp(daily / 2))


def _from_clock(clocks: list[np.ndarray], coefficients: np.ndarray) -> np.ndarray:
    """What the clock adds to the log variance, f64 [row, step]."""
    return np.stack([clock @ coefficients[:, step] for step, clock in enumerate(clocks)], axis=1)
