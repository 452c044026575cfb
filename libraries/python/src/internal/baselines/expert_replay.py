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

GROUP_OF: Final = np.array([[0, 1, 0], [2, 3, 2]])  # of each measure (daily, cumulative) and quantile
GROUPS: Final = 4
IS_MEMBER: Final = (GROUP_OF[..., None] == np.arange(GROUPS)).astype(np.float64)  # [measure, quantile, group]
FEWEST: Final = 5  # outcomes: the losses of fewer say nothing


@dataclass(frozen=True)
class ExpertForecasts:
    """Forecasts at some rows, and what happened after them.

    Attributes:
        session: The rows' sessions, i64 [row].
        quantiles: Both measures, daily returns first, f32 [expert, measure, row, step, quantile].
        truth: What happened, f64 [measure, row, step]; NaN where it is unknown.
    """

    session: np.ndarray
    quantiles: np.ndarray
    truth: np.ndarray

    @classmethod
    def of(cls, session: np.ndarray, experts: Iterable[RowQuantiles], ahead: np.ndarray) -> Self:
        """Forecasts at rows whose cumulative log returns were `ahead`, f64 [row, step]."""
        quantiles = np.stack([np.stack([one.daily, one.cumulative]).astype(np.float32) for one in experts])
        return cls(session, quantiles, np.stack([to_daily(ahead), ahead]))

    def combine(self, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Combined quantiles of some rows, f64 [measure, row, step, quantile], of weights f64 [expert, group]."""
        return np.einsum("emq,emrsq->mrsq", weights[:, GROUP_OF], self.quantiles[:, :, rows])

    def gains(self, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """How much lower each expert's mean loss is than the combination's, f64 [step, expert, group].

        The losses are linearised at the combined quantile, so that weights are right for the combination, and not only
        for choosing one expert.
        """
        combined, each = self.combine(rows, weights), self.quantiles[:, :, rows]
        truth = self.truth[:, rows, :, None]
        usable = np.isfinite(truth) & np.isfinite(combined)
        slope = (truth < combined) - np.array(QUANTILES)
        differences = np.where(usable, slope * (combined - each), 0.0).sum(axis=2)  # [expert, measure, step, quantile]
        count = usable.sum(axis=1)  # [measure, step, quantile]
        mean = np.where(count >= FEWEST, differences / np.maximum(count, 1), 0.0)
        return np.einsum("emsq,mqg->seg", mean, IS_MEMBER)


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
