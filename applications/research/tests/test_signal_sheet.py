"""The signal sheet beside alphalens-reloaded and scipy, and on signals whose answer is known."""

# alphalens and pandas ship no complete types:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
import warnings
from datetime import date
from math import isnan, sqrt
from typing import Any

import numpy as np
import pytest

from internal.dates import previous_session, sessions
from internal.overlapping_means import estimate_mean
from research.signals.panel import SignalPanel
from research.signals.quantile_returns import assign_quantiles, measure_quantiles, measure_turnover
from research.signals.ranks import rank_correlations
from research.signals.sheet import HORIZONS, measure_signal

LAST = date(2024, 12, 31)
NAMES = tuple(f"T{number:03d}" for number in range(40))


def make_panel(count: int = 120, *, skill: float = 0.1, seed: int = 3) -> SignalPanel:
    """Random walks, and scores that are tomorrow's return times `skill` plus noise."""
    generator, days = np.random.default_rng(seed), sessions(previous_session(LAST, count - 1), LAST)
    steps = generator.normal(0, 0.02, (count, len(NAMES)))
    close = 50 * np.exp(np.cumsum(steps, axis=0))
    ahead = np.vstack([steps[1:], np.zeros((1, len(NAMES)))])
    scores = skill * ahead / 0.02 + sqrt(1 - skill**2) * generator.normal(size=steps.shape)
    sectors = tuple(None if number % 5 == 4 else f"sector {number % 5}" for number in range(len(NAMES)))
    return SignalPanel(days, NAMES, scores, close, np.full(close.shape, 2e7), sectors)


@pytest.fixture(scope="module")
def panel() -> SignalPanel:
    """A signal with a little skill."""
    return make_panel()


@pytest.fixture(scope="module")
def factor(panel: SignalPanel) -> Any:  # noqa: ANN401 - a pandas frame
    """The panel as alphalens wants it, over the same horizons."""
    import pandas as pd  # noqa: PLC0415 - one worker compares, all collect
    from alphalens.utils import get_clean_factor_and_forward_returns  # noqa: PLC0415 - one worker compares, all collect

    index = pd.DatetimeIndex(panel.days)
    prices = pd.DataFrame(panel.close, index=index, columns=list(NAMES))
    scores = pd.DataFrame(panel.scores, index=index, columns=list(NAMES)).stack()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return get_clean_factor_and_forward_returns(scores, prices, periods=HORIZONS, quantiles=5, max_loss=0.5)


def test_information_coefficients_are_those_of_alphalens(panel: SignalPanel, factor: Any) -> None:  # noqa: ANN401
    """By session and horizon, on the sessions that have all horizons."""
    from alphalens.performance import factor_information_coefficient  # noqa: PLC0415 - one worker compares, all collect

    expected = factor_information_coefficient(factor)
    for place, horizon in enumerate(HORIZONS):
        found = rank_correlations(panel.scores, panel.forward_returns(horizon))[: len(expected)]
        assert np.allclose(found, expected.iloc[:, place].to_numpy(), atol=1e-12)


def test_quantile_returns_are_those_of_alphalens(panel: SignalPanel, factor: Any) -> None:  # noqa: ANN401
    """Means by quintile, demeaned by session; alphalens weighs names alike, which is the same with equal counts."""
    from alphalens.performance import mean_return_by_quantile  # noqa: PLC0415 - one worker compares, all collect

    expected, _ = mean_return_by_quantile(factor, demeaned=True)
    length = panel.scores.shape[0] - max(HORIZONS)
    for place, horizon in enumerate(HORIZONS):
        found = measure_quantiles(panel.scores[:length], panel.forward_returns(horizon)[:length], horizon)
        assert np.allclose(found.means, expected.iloc[:, place].to_numpy(), atol=1e-12)


def test_autocorrelation_is_that_of_alphalens(panel: SignalPanel, factor: Any) -> None:  # noqa: ANN401
    """Ranks of one session with those of the session before."""
    from alphalens.performance import factor_rank_autocorrelation  # noqa: PLC0415 - one worker compares, all collect

    expected = factor_rank_autocorrelation(factor).dropna().to_numpy()
    found = rank_correlations(panel.scores[1:], panel.scores[:-1])[: len(expected)]
    assert np.allclose(found, expected, atol=1e-12)


def test_ties_and_gaps_are_those_of_scipy() -> None:
    """Tied scores share a rank; a pair with a gap is left out; too few pairs or no spread is no coefficient."""
    from scipy.stats import spearmanr  # noqa: PLC0415 - one worker compares, all collect

    generator = np.random.default_rng(4)
    one, other = generator.integers(0, 4, (6, 30)).astype(float), generator.normal(size=(6, 30))
    one[0, :8], other[1, 5:9] = np.nan, np.nan
    one[2], one[3, 4:] = 1.0, np.nan
    found = rank_correlations(one, other)
    for row in (0, 1, 4, 5):
        known = np.isfinite(one[row]) & np.isfinite(other[row])
        assert found[row] == pytest.approx(np.asarray(spearmanr(one[row][known], other[row][known]))[0])
    assert np.isnan(found[[2, 3]]).all()


def test_errors_of_overlapping_returns_cover_at_the_nominal_rate() -> None:
    """Coefficients of noise with overlapping twenty-session returns: the 95 % interval covers zero in about 95 %.

    Without the correction it would in about half. 200 signals; four standard errors are 6 points.
    """
    covered = []
    for seed in range(200):
        noise = np.random.default_rng(seed).normal(size=519)
        overlapping = np.convolve(noise, np.ones(20), mode="valid")
        estimate = estimate_mean(overlapping, 19)
        covered.append(abs(estimate.mean) <= 1.96 * estimate.standard_error)
    assert 0.82 <= np.mean(covered) <= 0.99


def test_sheet_of_a_signal_with_skill_for_one_session(panel: SignalPanel) -> None:
    """The coefficient is near the skill at one session, fades with the horizon, and is gone after one session."""
    sheet = measure_signal(panel)
    first = sheet.coefficients[1]
    assert abs(first.mean - 0.1) < 3 * first.standard_error
    assert first.t_statistic > 3
    assert abs(sheet.coefficients[20].mean) < first.mean
    assert all(abs(sheet.decay[lag].t_statistic) < 3.5 for lag in (1, 2, 5, 10, 20))
    assert sheet.quantiles[0].spread.mean > 0
    assert abs(sheet.autocorrelation) < 0.1
    assert sheet.turnover == pytest.approx(0.8, abs=0.05)  # a fifth stays by chance
    assert set(sheet.by_sector) == {"sector 0", "sector 1", "sector 2", "sector 3"}
    assert set(sheet.by_year) == {2024}
    assert sheet.coverage == 40
    assert sheet.capacity == pytest.approx(2e7 * 0.01 / sheet.turnover * 16)


def test_perfect_and_constant_scores() -> None:
    """Tomorrow's return itself has a coefficient of 1; a constant has none, in any figure."""
    panel = make_panel(40)
    ahead = panel.forward_returns(1)
    perfect = measure_signal(SignalPanel(panel.days, NAMES, ahead, panel.close, panel.dollar_volume, panel.sectors))
    assert perfect.coefficients[1].mean == pytest.approx(1)
    constant = np.ones_like(panel.scores)
    none = measure_signal(SignalPanel(panel.days, NAMES, constant, panel.close, panel.dollar_volume, panel.sectors))
    assert isnan(none.coefficients[1].mean)
    assert none.coefficients[1].count == 0


def test_no_name_at_all() -> None:
    """A score that is null everywhere gives no figure and no error."""
    panel = make_panel(30)
    missing = np.full(panel.scores.shape, np.nan)
    sheet = measure_signal(SignalPanel(panel.days, NAMES, missing, panel.close, panel.dollar_volume, panel.sectors))
    assert sheet.coverage == 0
    assert isnan(sheet.turnover)
    assert isnan(sheet.capacity)


def test_quantiles_hold_equal_counts_and_turnover_counts_new_names() -> None:
    """Ten names make five quantiles of two; one name that moves into an outer one is half of it."""
    rows = np.vstack([np.arange(10.0), [9, 1, 2, 3, 4, 5, 6, 7, 8, 0.5]])
    groups = assign_quantiles(rows)
    assert [int((groups[0] == one).sum()) for one in range(5)] == [2] * 5
    assert measure_turnover(rows) == pytest.approx(0.5)
