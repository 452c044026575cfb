"""The weights of forecasters at each session, from losses that were known then.

A forecast of `step` sessions is judged when they have passed. The losses of all tickers of a session are averaged,
those of all steps added up. Lower and upper quantile share their weights: which of them was missed depends on where the
market went, and weights of their own would follow it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from internal.baselines.expert_weights import ExpertState
from internal.baselines.forecast import to_daily
from internal.forecasting.quantiles import QUANTILES, STEPS, RowQuantiles
from internal.scratch_arrays import ScratchArray

GROUP_OF: Final = np.array([[0, 1, 0], [2, 3, 2]])  # of each measure (daily, cumulative) and quantile
GROUPS: Final = 4
IS_MEMBER: Final = (GROUP_OF[..., None] == np.arange(GROUPS)).astype(np.float64)  # [measure, quantile, group]
FEWEST: Final = 5  # outcomes: the losses of fewer say nothing


@dataclass(frozen=True)
class ExpertForecasts:
    """Forecasts at some rows, and what happened after them.

    Attributes:
        session: The rows' sessions, i64 [row].
        experts: Each forecaster's quantiles of both measures, daily returns first, f32 [measure, row, step, quantile].
        truth: What happened, f64 [measure, row, step]; NaN where it is unknown.
    """

    session: np.ndarray
    experts: tuple[ScratchArray, ...]
    truth: np.ndarray

    @classmethod
    def of(cls, session: np.ndarray, experts: Iterable[Iterable[RowQuantiles]], ahead: np.ndarray) -> Self:
        """Forecasts at rows whose cumulative log returns were `ahead`, f64 [row, step].

        Args:
            session: The rows' sessions, i64 [row].
            experts: Each forecaster's quantiles, the rows in consecutive parts, of which one is held at a time.
            ahead: What happened.
        """
        stored = tuple(_store(parts, len(session)) for parts in experts)
        return cls(session, stored, np.stack([to_daily(ahead), ahead]))

    def read(self, rows: np.ndarray) -> np.ndarray:
        """The quantiles of some rows, f32 [expert, measure, row, step, quantile]."""
        found = np.stack([one.values[:, rows] for one in self.experts])
        for one in self.experts:
            one.release()
        return found

    def combine(self, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Combined quantiles of some rows, f64 [measure, row, step, quantile], of weights f64 [expert, group]."""
        return _combine(self.read(rows), weights)

    def gains(self, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """How much lower each expert's mean loss is than the combination's, f64 [step, expert, group].

        The losses are linearised at the combined quantile, so that weights are right for the combination, and not only
        for choosing one expert.
        """
        each = self.read(rows)
        combined = _combine(each, weights)
        truth = self.truth[:, rows, :, None]
        usable = np.isfinite(truth) & np.isfinite(combined)
        slope = (truth < combined) - np.array(QUANTILES)
        differences = np.where(usable, slope * (combined - each), 0.0).sum(axis=2)  # [expert, measure, step, quantile]
        count = usable.sum(axis=1)  # [measure, step, quantile]
        mean = np.where(count >= FEWEST, differences / np.maximum(count, 1), 0.0)
        return np.einsum("emsq,mqg->seg", mean, IS_MEMBER)


def _store(parts: Iterable[RowQuantiles], count: int) -> ScratchArray:
    stored, first = ScratchArray((2, count, len(STEPS), len(QUANTILES)), np.float32), 0
    for part in parts:
        rows = slice(first, first + len(part.daily))
        stored.values[0, rows], stored.values[1, rows] = part.daily, part.cumulative
        stored.release()
        first = rows.stop
    return stored


def _combine(each: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.einsum("emq,emrsq->mrsq", weights[:, GROUP_OF], each)


def replay(start: ExpertState, forecasts: ExpertForecasts, first: int, last: int) -> dict[int, ExpertState]:
    """The state at each session from `first` to `last`, both included, by the session's number.

    Args:
        start: The state at the first session.
        forecasts: **Guard:** the loss of a forecast of `step` sessions counts from `step` sessions after its row on,
            never before.
        first: Number of the first session; rows before it are not judged.
        last: Number of the last one.
    """
    by_session = np.argsort(forecasts.session, kind="stable")
    bounds = np.searchsorted(forecasts.session[by_session], np.arange(first, last + 2))
    news = np.zeros((last - first + 1 + len(STEPS), *start.gain.shape))
    state, states = start, dict[int, ExpertState]()
    for today in range(last - first + 1):
        state = state.update(news[today]) if today else start
        states[first + today] = state
        rows = by_session[bounds[today] : bounds[today + 1]]
        news[today + 1 : today + 1 + len(STEPS)] += forecasts.gains(rows, state.weights())
    return states
