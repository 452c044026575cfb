"""Our two conformal steps and MAPIE's (BSD licence; a development dependency) on the same scores.

The split step is the same method and has to give the same numbers. The adaptive step is not: MAPIE's moves the level
at which stored scores are read (Gibbs and Candes 2021), ours multiplies the width and forgets. They have to agree on
what both promise: coverage on a stationary series, and its return after a jump. Tolerances follow from the step sizes.
"""
# MAPIE and scikit-learn are annotated in part
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUntypedBaseClass=false

# MAPIE is typed in part:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportAttributeAccessIssue=false

from datetime import date
from statistics import NormalDist
from typing import Any

import numpy as np
import polars as pl
import pytest

from internal.baselines.adaptation import DECAY, RATE, adaptive_factors, widen_intervals
from internal.baselines.ticker_groups import TickerGroups
from internal.dates import sessions_frame
from internal.forecasting.calibration import Calibration

TAIL = 0.1
GAMMA = 0.02  # of MAPIE's level, a session
SESSIONS, JUMP, TICKERS = 900, 450, 60
NORMAL = NormalDist()


def _make_column(place: int = 0) -> Any:  # noqa: ANN401 - a class of its own base
    """A fitted model for MAPIE: its forecast is one column of its input."""
    from sklearn.base import BaseEstimator, RegressorMixin  # noqa: PLC0415 - one worker compares, all collect

    class Column(RegressorMixin, BaseEstimator):
        def __init__(self, place: int = 0) -> None:
            self.place = place
            self.fitted_ = True

        def fit(self, inputs: np.ndarray, answers: np.ndarray) -> "Column":
            del inputs, answers
            return self

        def predict(self, inputs: np.ndarray) -> np.ndarray:
            return np.asarray(inputs[:, self.place])

    return Column(place)


def test_split_step_is_mapies() -> None:
    """Calibration of one step is MAPIE's asymmetric conformalized quantile regression on the same scores.

    Scores are put into units of each half's width, as ours are: there the interval is -1 to 1 around the median. MAPIE
    takes the ceil((n + 1)(1 - tail))-th score where ours interpolates between two neighbours: the widths lie no further
    apart than the three scores around it.
    """
    from mapie.regression import ConformalizedQuantileRegressor  # noqa: PLC0415 - one worker compares, all collect

    random = np.random.default_rng(4)
    truth = random.standard_t(4, (3000, 1))
    quantiles = np.broadcast_to([-1.0, 0.0, 1.0], (3000, 1, 3))
    ours = Calibration.fit(quantiles, truth)
    centred = truth[:, 0] - ours.values[0, 0]  # both halves start at the moved median
    inputs = quantiles[:, 0]
    columns = [_make_column(place) for place in (0, 2, 1)]
    mapie = ConformalizedQuantileRegressor(columns, confidence_level=0.8, prefit=True)
    mapie.conformalize(inputs, centred)
    _, interval = mapie.predict_interval(inputs[:1], symmetric_correction=False)
    for half, bound, side in ((1, -interval[0, 0, 0], -centred), (2, interval[0, 1, 0], centred)):
        scores = np.sort(side)
        place = int(np.ceil((len(scores) + 1) * (1 - TAIL))) - 1
        assert bound == pytest.approx(scores[place])
        gap = scores[place + 1] - scores[place - 2]
        assert abs(ours.values[half, 0] - bound) <= gap


def _mapie_inside(truth: np.ndarray, calibration: np.ndarray) -> np.ndarray:
    """Whether each truth was inside MAPIE's adaptive interval, one after the other, level 0.8 around zero."""
    from mapie.regression import TimeSeriesRegressor  # noqa: PLC0415 - one worker compares, all collect

    nothing = np.zeros((len(calibration), 1))
    mapie = TimeSeriesRegressor(_make_column(), method="aci", cv="prefit").fit(nothing, calibration)
    inside = np.empty(len(truth), bool)
    for place, value in enumerate(truth):
        now = np.zeros((1, 1))
        _, bounds = mapie.predict(now, confidence_level=[1 - 2 * TAIL], allow_infinite_bounds=True)
        inside[place] = bounds[0, 0, 0] <= value <= bounds[0, 1, 0]
        mapie.adapt_conformal_inference(  # pyright: ignore[reportAttributeAccessIssue]  # `fit` is annotated with its base
            now, np.array([value]), gamma=GAMMA, confidence_level=[1 - 2 * TAIL]
        )
    return inside


def _our_inside(truth: np.ndarray) -> np.ndarray:
    """The same for ours, one session ahead: share of tickers inside on each session, f64 [session]."""
    days = (
        sessions_frame(date(2016, 1, 4), date(2021, 12, 31)).head(len(truth)).select("date").with_row_index("session")
    )
    tickers = pl.DataFrame(
        {"ticker": range(TICKERS), "volatility": np.linspace(0.01, 0.03, TICKERS), "sector_number": 0}
    )
    frame = days.join(tickers, how="cross", maintain_order="left_right").with_columns(sector_number=0)
    width = NORMAL.inv_cdf(1 - TAIL)
    quantiles = np.broadcast_to([-width, 0.0, width], (frame.height, 7, 3))
    wide = np.full((frame.height, 7), np.nan)
    wide[:, 0] = truth.ravel()
    adapted = widen_intervals(quantiles, adaptive_factors(TickerGroups.of(frame), quantiles, wide))[:, 0]
    inside = (wide[:, 0] >= adapted[:, 0]) & (wide[:, 0] <= adapted[:, 2])
    return np.asarray(inside.reshape(truth.shape).mean(axis=1))


def _still(rate_of_return: float, excess: float) -> float:
    """The miss rate beyond the tail at which our width rests when returns have grown by `rate_of_return`.

    At rest the push RATE x (missed - tail) equals the pull (1 - DECAY) x log width: solved by bisection for one half.
    """
    low, high = 0.0, excess
    for _ in range(60):
        log_width = (low + high) / 2
        missed = 1 - NORMAL.cdf(NORMAL.inv_cdf(1 - TAIL) * np.exp(log_width) / rate_of_return)
        low, high = (log_width, high) if RATE * (missed - TAIL) > (1 - DECAY) * log_width else (low, log_width)
    return 1 - NORMAL.cdf(NORMAL.inv_cdf(1 - TAIL) * np.exp(low) / rate_of_return)


def test_stationary_series_is_covered_by_both() -> None:
    """On a series that does not change, both cover 80 %.

    MAPIE's long-run error is at most (1 + gamma) / (gamma x sessions) (Gibbs and Candes 2021, proposition 4.1), ours is
    within four binomial standard errors; each half rests where it began.
    """
    random = np.random.default_rng(8)
    truth = random.normal(size=(SESSIONS, TICKERS))
    mapie = _mapie_inside(truth[:, 0], random.normal(size=1000))
    assert abs(mapie.mean() - 0.8) <= (1 + GAMMA) / (GAMMA * SESSIONS)
    assert abs(_our_inside(truth).mean() - 0.8) <= 4 * np.sqrt(0.8 * 0.2 / truth.size)


def test_both_recover_after_a_jump() -> None:
    """Returns grow by half: both lose coverage at once and win it back, ours as far as its decay lets it.

    Fixed intervals would cover 2 x Phi(1.2816 / 1.5) - 1 = 60.7 % for ever. A year on, MAPIE's cover 80 % within their
    own bound; ours rests where the push of the misses equals the pull of the decay, which is worked out by bisection.
    """
    random = np.random.default_rng(9)
    truth = random.normal(size=(SESSIONS, TICKERS))
    truth[JUMP:] *= 1.5
    stuck = 2 * NORMAL.cdf(NORMAL.inv_cdf(1 - TAIL) / 1.5) - 1
    ours, late = _our_inside(truth), JUMP + 250  # decay and rate together close 1/50 of the gap a session
    error = 4 * np.sqrt(0.8 * 0.2 / TICKERS)
    assert ours[JUMP] == pytest.approx(stuck, abs=error)
    rests = 1 - 2 * _still(1.5, np.log(1.5))
    assert stuck + 0.05 < rests < 0.8
    assert ours[late:].mean() == pytest.approx(rests, abs=4 * np.sqrt(0.8 * 0.2 / truth[late:].size))
    mapie = _mapie_inside(truth[:, 0], random.normal(size=1000))
    bound = (1 + GAMMA) / (GAMMA * (SESSIONS - late))
    assert abs(mapie[late:].mean() - 0.8) <= bound
    assert ours[late:].mean() - stuck > 0.3 * (mapie[late:].mean() - stuck)
