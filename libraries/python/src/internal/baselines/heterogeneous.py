"""HAR: the volatility of each coming session from averages of past volatility (Corsi 2009), x pooled quantiles.

One regression for each session ahead and one for each cumulative step give the scales; quantiles are pooled in units of
the scales. The inputs are `features.volatility_inputs` and `features.earnings_features`, fitted by `staged_ridge`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar, Self

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from internal.baselines.adaptation import adaptive_factors, ignore_read, past_returns_ahead, widen_intervals
from internal.baselines.break_response import CURRENT, NO_RESPONSE, BreakResponse
from internal.baselines.forecast import EVERY_ROW, Rows
from internal.baselines.scaled_outcomes import write_outcomes
from internal.baselines.segment_parts import each_part, fill_parts
from internal.baselines.session_rows import (
    TARGETS,
    PreparedPanel,
    SessionRows,
    arrange_by_session,
    list_ahead,
    stack_earnings,
    tabulate_history,
)
from internal.baselines.staged_ridge import Design, predict_log_variances
from internal.baselines.standardisation import Standardisation
from internal.baselines.surprise import log_sizes_ahead, surprise_factors
from internal.baselines.ticker_groups import SessionOrder, TickerGroups, split_sessions
from internal.baselines.volatility import TABLE, require_shapes
from internal.baselines.volatility_fit import Scales, fit_each, to_scales
from internal.errors import InvalidRequestError
from internal.features.earnings_features import EARNINGS_INPUT_COUNT
from internal.features.segment_means import segment_lengths
from internal.features.splits import Block
from internal.features.variables import find_moving
from internal.features.volatility_inputs import INPUTS, number_sectors, select_inputs
from internal.forecasting.forecaster import REQUIRED_HISTORY
from internal.forecasting.quantiles import STEPS, RowQuantiles
from internal.scratch_arrays import PART_ROWS, ScratchArray


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
        if not (frame.get_column("date") <= fold.last).any():
            raise _no_row(fold)
        return next(cls.fit_each(cls.arrange(frame, last=fold.last), [fold]))

    @classmethod
    def arrange(cls, frame: pl.DataFrame, *, last: date = date.max) -> SessionRows:
        """The rows of an observed panel up to a day, as `fit_each` needs them."""
        return arrange_by_session(frame, uses_earnings=cls.uses_earnings, last=last)

    @classmethod
    def fit_each(cls, rows: SessionRows, folds: Sequence[Block]) -> Iterator[Self]:
        """Fit on folds that begin with the same day and grow; each row is read into the sums of `fit` once.

        **Guard:** a fold's fit uses outcomes that are known at its last day's close. Inputs are standardised as
        `volatility_fit.fit_each` says, which for a single fold is by its own figures.

        Raises:
            InvalidRequestError: A fold has no row whose whole horizon is known.
        """
        first = bisect_left(rows.days, folds[0].first)
        ends = [bisect_right(rows.days, fold.last) - 1 for fold in folds]
        for fold, fitted in zip(folds, fit_each(rows, first, ends), strict=True):
            if fitted is None:
                raise _no_row(fold)
            figures, (daily, cumulative) = fitted.standardisation, np.split(fitted.quantiles, 2)
            for_daily, for_cumulative = np.split(fitted.coefficients, 2, axis=1)
            yield cls(figures.center, figures.spread, for_daily, for_cumulative, daily, cumulative)

    @property
    def standardisation(self) -> Standardisation:
        """Of the inputs."""
        return Standardisation(self.center, self.spread)

    def scales(self, frame: pl.DataFrame) -> Scales:
        """The expected size of the moves from each row, a few tickers at a time, so that arrays fit a cache."""
        prepared = PreparedPanel.of(frame, uses_earnings=self.uses_earnings)
        return to_scales(fill_parts(frame, (TARGETS,), lambda part: self._predict(self._design(prepared, part))))

    def cumulative_scales(self, frame: pl.DataFrame) -> ScratchArray:
        """The cumulative ones of `scales` alone."""
        prepared = PreparedPanel.of(frame, uses_earnings=self.uses_earnings)
        found = ScratchArray((frame.height, len(STEPS)))

        def work(part: slice) -> None:
            found.values[part] = to_scales(self._predict(self._design(prepared, part))).cumulative
            found.release()

        each_part(frame, work)
        return found

    def scales_of_sessions(self, rows: SessionRows, first: int, last: int) -> Scales:
        """The same for the rows of some sessions, by number, both included."""
        designs = (rows.design(chunk, self.standardisation) for chunk in rows.chunks(first, last))
        with threadpool_limits(1, "blas"):  # the products are small: more threads would spin
            return to_scales(np.concatenate([self._predict(design) for design in designs]))

    def scales_of_inputs(self, inputs: np.ndarray, history: np.ndarray, earnings: np.ndarray) -> Scales:
        """The scales of rows with known inputs.

        Args:
            inputs: `features.volatility_inputs`, f64 [row, input].
            history: Places of the rows with the year of history that earnings features need, i64 [row with history].
            earnings: Their earnings features, f64 [target, row with history, earnings feature].
        """
        return to_scales(self._predict(Design(self.standardisation.apply(inputs), history, earnings)))

    def _design(self, prepared: PreparedPanel, part: slice) -> Design:
        """The explanatory variables of whole segments."""
        segments = prepared.part(part)
        history, first, table = tabulate_history(segments, uses_earnings=self.uses_earnings)
        inputs = select_inputs(segments, prepared.averages, self.standardisation.apply_to)
        return Design(inputs, history, stack_earnings(table, list_ahead(first)))

    def _predict(self, design: Design) -> np.ndarray:
        """Log variances, f64 [row, target]."""
        return predict_log_variances(design, np.hstack([self.daily_coefficients, self.cumulative_coefficients]))

    def quantiles(self, frame: pl.DataFrame, rows: Rows = EVERY_ROW) -> RowQuantiles:
        """Fitted scale x pooled quantile."""
        prepared, asked = PreparedPanel.of(frame, uses_earnings=self.uses_earnings), _mark(frame, rows)

        def work(part: slice) -> np.ndarray:
            return self._predict(self._design(prepared, part))[asked[part]]

        return self.plain(to_scales(np.concatenate(each_part(frame, work))[_places(frame, rows)]))

    def quantiles_of_sessions(self, rows: SessionRows, first: int, last: int) -> RowQuantiles:
        """The same for the rows of some sessions, by number, both included."""
        return self.plain(self.scales_of_sessions(rows, first, last))

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


@dataclass(frozen=True)
class AdaptiveVolatility(EarningsVolatility):
    """HAR with earnings features whose scales follow surprises, and whose intervals adapt to their misses.

    See `baselines.surprise` and `baselines.adaptation`.

    Attributes:
        response: How far they do.
    """

    response: BreakResponse = CURRENT
    kind: ClassVar[str] = "adaptive_volatility"

    def to_arrays(self) -> dict[str, np.ndarray]:
        """HAR's arrays and the response."""
        return super().to_arrays() | self.response.to_arrays()

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Self:
        """Restore both. An artifact without a response was trained and judged before there was one, and has none."""
        return replace(super().from_arrays(arrays), response=BreakResponse.from_arrays(arrays, absent=NO_RESPONSE))

    def quantiles(self, frame: pl.DataFrame, rows: Rows = EVERY_ROW) -> RowQuantiles:
        """Scale x surprise factor x pooled quantile, each half of the interval x its adaptive factor."""
        scales, surprise, factors = self.scales_and_surprises(frame, rows)
        cumulative, daily, first = *np.empty((2, len(surprise), *TABLE)), 0
        for some in self.quantiles_in_parts(scales, surprise, factors):
            part = slice(first, first + len(some.daily))
            cumulative[part], daily[part], first = some.cumulative, some.daily, part.stop
        return RowQuantiles(cumulative, daily)

    def quantiles_in_parts(
        self, scales: Scales, surprise: np.ndarray, factors: tuple[np.ndarray, np.ndarray]
    ) -> Iterator[RowQuantiles]:
        """The same of what `scales_and_surprises` returns, PART_ROWS rows at a time."""
        for first in range(0, len(surprise), PART_ROWS):
            part = slice(first, first + PART_ROWS)
            plain = self.plain(scales.at(part).times(surprise[part]))
            yield self.widen(plain, *(one[part] for one in factors))

    def quantiles_of_sessions(self, rows: SessionRows, first: int, last: int) -> RowQuantiles:
        """The same for the rows of some sessions; the factors begin as far back as a forecaster's history does."""
        begin = max(first - REQUIRED_HISTORY + 1, 0)
        part, plain = rows.span(begin, last), self.scales_of_sessions(rows, begin, last)
        ahead = np.where(rows.trades_ahead[part], rows.returns(part), np.nan)
        sizes = np.where(rows.trades_ahead[part, 0], rows.targets(part)[:, 0] / 2, np.nan)
        frame = rows.frame(part)
        self._forget(frame, sizes, ahead)
        groups = TickerGroups.of(frame)
        scales = plain.times(surprise_factors(groups, sizes - np.log(plain.daily[:, 0]), self.response))
        asked = slice(rows.span(first, last).start - part.start, None)
        outcomes = np.empty((len(ahead), 2, len(STEPS)))
        write_outcomes(ahead, scales, np.arange(len(ahead)), outcomes)
        factors = self._factors(groups, outcomes, asked)
        return self.widen(self.plain(scales.at(asked)), *factors)

    def scales_and_factors(self, frame: pl.DataFrame, rows: Rows) -> tuple[Scales, tuple[np.ndarray, np.ndarray]]:
        """At some rows: scales that follow surprises, and adaptive factors of cumulative and of daily intervals."""
        scales, surprise, factors = self.scales_and_surprises(frame, rows)
        return scales.times(surprise), factors

    def scales_and_surprises(
        self, frame: pl.DataFrame, rows: Rows
    ) -> tuple[Scales, np.ndarray, tuple[np.ndarray, np.ndarray]]:
        """At some rows: HAR's scales, surprise factors f64 [row], and factors of intervals f64 [row, step, half] each.

        Misses are counted in units of the scale, in which every row has the same quantiles. They are written in the
        order of sessions, in which they are read.
        """
        row_of, groups = _group(frame)
        truth, surprises = ScratchArray((frame.height, 2, len(STEPS))), np.empty(frame.height)
        predicted = self._compare(frame, _mark(frame, rows), row_of, truth, surprises)
        surprise, places = surprise_factors(groups, surprises, self.response), row_of[rows]
        del surprises, row_of  # each as soon as it is read: those of all rows are not held beside the scales of some
        factors = self._factors(groups, truth.values, places, surprise, on_read=truth.release)
        surprise = surprise[places]
        del truth, groups
        predicted = predicted[_places(frame, rows)]
        return to_scales(predicted), surprise, factors

    def _compare(
        self, frame: pl.DataFrame, asked: np.ndarray, row_of: np.ndarray, truth: ScratchArray, surprises: np.ndarray
    ) -> np.ndarray:
        """Write each row's outcomes in units of its scales, and its surprise, to the place that it has in `row_of`.

        A part's scales are used while they are in a cache.

        Returns:
            The log variances of the rows that are asked for, f64 [asked, target].
        """
        prepared = PreparedPanel.of(frame, uses_earnings=self.uses_earnings)

        def work(part: slice) -> np.ndarray:
            segments, predicted = frame[part], self._predict(self._design(prepared, part))
            sizes, ahead = log_sizes_ahead(segments), past_returns_ahead(segments)
            self._forget(segments, sizes, ahead)
            surprises[row_of[part]] = sizes - predicted[:, 0] / 2
            kept = predicted[asked[part]]
            write_outcomes(ahead, to_scales(predicted), row_of[part], truth.values, segment_lengths(segments))
            truth.release()
            return kept

        return np.concatenate(each_part(frame, work))

    def _forget(self, frame: pl.DataFrame, *outcomes: np.ndarray) -> None:
        """Make the outcomes of rows that do not move unknown, f64 [row, ...], where the response is to the others."""
        if self.response.moving_alone:
            still = ~find_moving(frame)
            for each in outcomes:
                each[still] = np.nan

    def _factors(
        self,
        groups: TickerGroups,
        truth: np.ndarray,
        rows: Rows,
        divisors: np.ndarray | None = None,
        on_read: Callable[[], None] = ignore_read,
    ) -> tuple[np.ndarray, np.ndarray]:
        pooled, rate = np.stack([self.cumulative, self.daily]), self.response.sector_rate
        factors = adaptive_factors(groups, pooled, truth, rows, sector_rate=rate, divisors=divisors, on_read=on_read)
        return factors[:, 0], factors[:, 1]

    @staticmethod
    def widen(plain: RowQuantiles, cumulative: np.ndarray, daily: np.ndarray) -> RowQuantiles:
        """Quantiles whose intervals are multiplied by adaptive factors, f64 [row, step, half] each."""
        return RowQuantiles(widen_intervals(plain.cumulative, cumulative), widen_intervals(plain.daily, daily))


def _group(frame: pl.DataFrame) -> tuple[np.ndarray, TickerGroups]:
    """The place of each row in the order of sessions, i32 [row], and the groups of the rows in that order."""
    order = SessionOrder.of(frame.get_column("session").to_numpy())
    third = split_sessions(order.in_order, order.arrange(frame.get_column("volatility").to_numpy()))
    sector = order.arrange(number_sectors(frame).astype(np.int32))
    return order.places, TickerGroups(order.in_order, third, sector)


def _mark(frame: pl.DataFrame, rows: Rows) -> np.ndarray:
    """Which rows of the frame are among some rows, bool [row]."""
    asked = np.zeros(frame.height, bool)
    asked[rows] = True
    return asked


def _places(frame: pl.DataFrame, rows: Rows) -> np.ndarray:
    """The place of each of some rows among those that `_mark` marks, i32 [row]."""
    return np.asarray(np.cumsum(_mark(frame, rows), dtype=np.int32)[rows] - 1)


def _no_row(fold: Block) -> InvalidRequestError:
    return InvalidRequestError(f"the training fold {fold.first}..{fold.last} has no row with a whole horizon")
