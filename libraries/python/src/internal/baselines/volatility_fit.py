"""The fit of HAR-type baselines: coefficients and pooled quantiles, from sums over sessions, at one refit or many."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from threadpoolctl import threadpool_limits

from internal.bar_kernels.library import load_volatility
from internal.baselines.forecast import Rows, to_daily
from internal.baselines.session_rows import NEVER, TARGETS, SessionRows
from internal.baselines.staged_ridge import HeldOutPart, SessionSums, held_out_parts, predict_log_variances
from internal.baselines.standardisation import Standardisation
from internal.baselines.volatility import ROOT_STEPS
from internal.features.volatility_inputs import SHARED_BY_DATE
from internal.forecasting.quantiles import QUANTILES, STEPS
from internal.scratch_arrays import ScratchArray

GROWTH: Final = 2.0
FACTORS: Final = np.concatenate([np.ones(len(STEPS)), ROOT_STEPS])  # of each target's scale, f64 [target]


@dataclass(frozen=True)
class Scales:
    """How far prices are expected to move from each row; NaN where history is too short.

    Attributes:
        cumulative: Of the log return from the row's close to the close `step` sessions on, f64 [row, step].
        daily: Of the one session `step` ahead, f64 [row, step].
    """

    cumulative: np.ndarray
    daily: np.ndarray

    def at(self, rows: Rows) -> "Scales":
        """The scales of some rows."""
        return Scales(self.cumulative[rows], self.daily[rows])

    def times(self, factors: np.ndarray) -> "Scales":
        """The scales of every row multiplied by its factor, f64 [row]."""
        return Scales(self.cumulative * factors[:, None], self.daily * factors[:, None])


@dataclass(frozen=True)
class VolatilityFit:
    """What one refit finds; a target is a session ahead, or the mean up to it.

    Attributes:
        standardisation: Of the inputs.
        coefficients: Of features, intercept, earnings features, history-available flag, f64 [coefficient, target].
        quantiles: Of returns in units of their scale, f64 [target, quantile].
    """

    standardisation: Standardisation
    coefficients: np.ndarray
    quantiles: np.ndarray


def fit_each(rows: SessionRows, first: int, ends: Sequence[int]) -> Iterator[VolatilityFit | None]:
    """Fit at the close of some sessions, on all rows from `first` whose outcomes are known by then.

    Each row is added to the sums of its session once. Inputs are standardised by figures of the rows that are known at
    the first refit. When there are twice as many rows, the figures and the sums are made again of all of them: a clip
    that suits one year may be too narrow for the next five (on real bars of 2015 to 2018 the first figures alone cost
    0.12 % of the loss, figures made at each doubling 0.02 %). One refit alone uses the figures of its own rows. Those
    of rows that do not move (`SessionRows.moves`) count in the figures alone: else they would be clipped.

    Args:
        rows: The panel.
        first: The number of the first session to fit on.
        ends: The numbers of the sessions to fit at, ascending. **Guard:** rows whose outcomes are known later are left
            out.

    Yields:
        The fit at each end; None where no row is known yet.
    """
    known = rows.known.copy()
    known[: rows.bounds[first]] = NEVER
    fitting: _Fitting | None = None
    for end in ends:
        described = known <= end
        trained = described & rows.moves
        if not trained.any():
            yield None
            continue
        if fitting is None or trained.sum() >= GROWTH * fitting.first_count:
            fitting = _Fitting(rows, trained, described)
        with threadpool_limits(1, "blas"):  # its products are small: more threads would spin
            fitting.add(trained)
            fitted = fitting.solve(trained)
        yield fitted


class _Fitting:
    """The sums of the rows so far, under one standardisation."""

    def __init__(self, rows: SessionRows, trained: np.ndarray, described: np.ndarray) -> None:
        """Takes the rows, those that are fitted on, and those whose figures standardise the inputs, bool [row]."""
        self._rows, self._added, self.first_count = rows, np.zeros_like(trained), int(trained.sum())
        chunks = (
            rows.inputs.values[part][described[part]]
            for part in rows.chunks(0, len(rows.days) - 1)
            if described[part].any()
        )
        self._standardisation = Standardisation.fit(chunks)
        features = rows.earnings.features.values.shape[1]
        self._sums = SessionSums(np.array(SHARED_BY_DATE), len(rows.days), TARGETS, features)

    def add(self, trained: np.ndarray) -> None:
        """Add the rows that are not in the sums yet."""
        rows, new = self._rows, trained & ~self._added
        before = np.zeros(len(new) + 1, np.int32)
        np.cumsum(new, out=before[1:])
        counts = np.diff(before[rows.bounds])
        for session in np.flatnonzero(counts).tolist():
            part = rows.span(session, session)
            places = np.flatnonzero(new[part]) + part.start
            self._sums.add(session, rows.design(places, self._standardisation), rows.targets(places))
            rows.release()
        self._added = trained.copy()

    def solve(self, trained: np.ndarray) -> VolatilityFit:
        """Coefficients on all rows, and quantiles of their returns in units of out-of-sample scales."""
        occupied = self._sums.row_counts > 0
        parts = held_out_parts(occupied)
        solved = self._sums.solve(np.array([occupied, *(part.fitted_on for part in parts)]))
        standardised = ScratchArray((TARGETS, int(trained.sum())))
        begin = 0
        for part, coefficients in zip(parts, solved[1:], strict=True):
            for returns in self._standardised_returns(trained, part, coefficients):
                standardised.values[:, begin : begin + len(returns)] = returns.T
                begin += len(returns)
                standardised.release()
        pooled = np.empty((TARGETS, len(QUANTILES)))
        for target, values in enumerate(standardised.values):
            pooled[target] = read_quantiles(np.sort(values[:begin]))
            standardised.release()
        return VolatilityFit(self._standardisation, solved[0], pooled)

    def _standardised_returns(
        self, trained: np.ndarray, part: HeldOutPart, coefficients: np.ndarray
    ) -> Iterator[np.ndarray]:
        """Returns of a part's rows in units of the scales that coefficients predict, f64 [row, target] a chunk."""
        rows = self._rows
        for chunk in rows.chunks(part.first, part.last):
            places = np.flatnonzero(trained[chunk]) + chunk.start
            scales = to_scales(predict_log_variances(rows.design(places, self._standardisation), coefficients))
            returns = rows.returns(places)
            yield np.hstack([to_daily(returns) / scales.daily, returns / scales.cumulative])


def to_scales(log_variances: np.ndarray) -> Scales:
    """Scales from log variances f64 [row, target]: half a log variance is a log scale.

    Raises:
        ValueError: They are of other targets.
    """
    if log_variances.shape[1:] != (TARGETS,):
        raise ValueError(f"log variances must be f64 [row, {TARGETS}], not {log_variances.shape}")
    scales = np.divide(log_variances, 2, order="C", dtype=np.float64)
    np.exp(scales, out=scales)
    load_volatility().multiply_rows(scales.ctypes.data, len(scales), TARGETS, FACTORS.ctypes.data)
    daily, cumulative = np.split(scales, 2, axis=1)
    return Scales(cumulative, daily)


def read_quantiles(ascending: np.ndarray) -> np.ndarray:
    """Exact quantiles of sorted values, f64 [quantile]: a vectorised sort is faster than to select six neighbours."""
    place = np.array(QUANTILES) * (len(ascending) - 1)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, len(ascending) - 1)
    low, high = ascending[below], ascending[above]
    return np.asarray(low + (high - low) * (place - below))
