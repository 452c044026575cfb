"""The figures of a signal: information coefficients by horizon, sector and year, decay, spreads, turnover, capacity."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from internal.overlapping_means import Estimate, estimate_mean
from internal.trading.arrays import FloatArray
from research.signals.panel import SignalPanel
from research.signals.quantile_returns import QuantileReturns, assign_quantiles, measure_quantiles, measure_turnover
from research.signals.ranks import rank_correlations

HORIZONS = (1, 5, 10, 20)
LAGS = (0, 1, 2, 5, 10, 20)
MAIN_HORIZON = 5
PARTICIPATION = 0.01  # of a name's dollar volume a session; a usual limit for orders without much impact


@dataclass(frozen=True)
class SignalSheet:
    """What a score says about coming returns.

    Attributes:
        coefficients: Rank information coefficient by horizon in sessions.
        decay: Information coefficient of one session's return by how many sessions after the score it begins.
        quantiles: Returns by quintile, by horizon.
        autocorrelation: Mean rank correlation of the scores of one session with those of the session before.
        turnover: Part of the outer quintiles' names that change from session to session.
        by_sector: Coefficient within each sector over MAIN_HORIZON sessions.
        by_year: Coefficient of each year over MAIN_HORIZON sessions.
        coverage: Mean number of scored names a session.
        capacity: Dollars of gross exposure in equal weights of the outer quintiles at which the median name's daily
            trade, at this turnover, reaches PARTICIPATION of its dollar volume.
    """

    coefficients: Mapping[int, Estimate]
    decay: Mapping[int, Estimate]
    quantiles: Sequence[QuantileReturns]
    autocorrelation: float
    turnover: float
    by_sector: Mapping[str, Estimate]
    by_year: Mapping[int, Estimate]
    coverage: float
    capacity: float


def measure_signal(panel: SignalPanel) -> SignalSheet:
    """All figures of a panel."""
    scores = panel.scores
    main = panel.forward_returns(MAIN_HORIZON)
    turnover = measure_turnover(scores)
    return SignalSheet(
        coefficients={one: _coefficient(scores, panel.forward_returns(one), one) for one in HORIZONS},
        decay={lag: _coefficient(scores, panel.forward_returns(1, lag), 1) for lag in LAGS},
        quantiles=[measure_quantiles(scores, panel.forward_returns(one), one) for one in HORIZONS],
        autocorrelation=estimate_mean(rank_correlations(scores[1:], scores[:-1]), 0).mean,
        turnover=turnover,
        by_sector=_by_sector(panel, main),
        by_year=_by_year(panel, main),
        coverage=float(np.isfinite(scores).sum(axis=1).mean()),
        capacity=_capacity(panel, turnover),
    )


def _coefficient(scores: FloatArray, returns: FloatArray, horizon: int) -> Estimate:
    return estimate_mean(rank_correlations(scores, returns), horizon - 1)


def _by_sector(panel: SignalPanel, returns: FloatArray) -> dict[str, Estimate]:
    found: dict[str, Estimate] = {}
    for sector in sorted({one for one in panel.sectors if one is not None}):
        inside = np.array([one == sector for one in panel.sectors])
        found[sector] = _coefficient(panel.scores[:, inside], returns[:, inside], MAIN_HORIZON)
    return found


def _by_year(panel: SignalPanel, returns: FloatArray) -> dict[int, Estimate]:
    years = np.array([day.year for day in panel.days])
    return {
        int(year): _coefficient(panel.scores[years == year], returns[years == year], MAIN_HORIZON)
        for year in np.unique(years)
    }


def _capacity(panel: SignalPanel, turnover: float) -> float:
    """Capital whose daily trade in the median name is PARTICIPATION of its dollar volume; NaN without turnover."""
    groups = assign_quantiles(panel.scores)
    outer = (groups == 0) | (groups == np.nanmax(groups, initial=0.0))
    volume, names = panel.dollar_volume[outer], outer.sum(axis=1)
    known = volume[np.isfinite(volume)]
    if not len(known) or not turnover > 0:
        return float("nan")
    return float(np.median(known) * PARTICIPATION / turnover * names[names > 0].mean())
