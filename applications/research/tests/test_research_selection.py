"""Corrections for the number of trials: published figures, simulations of noise, and a search through all cases."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from applications.research.tests.other_libraries import (
    probability_of_uniform,
    scipy_ranks,
    scipy_skewness_and_kurtosis,
)
from internal.backtests.deflation import deflate_sharpe, expected_maximum
from internal.backtests.moments import (
    Moments,
    probabilistic_sharpe_ratio,
    sharpe_standard_error,
    summarize_moments,
)
from internal.backtests.overfitting import estimate_overfitting


def test_the_example_of_the_paper() -> None:
    """Bailey, Lopez de Prado 2014: 2.5 a year over 1,250 days, skewness -3, kurtosis 10, 100 trials of variance 1/2.

    The threshold is 0.1132 a day, the deflated Sharpe ratio 0.9004.
    """
    moments = Moments(returns=1250, sharpe=2.5 / 250**0.5, skewness=-3.0, kurtosis=10.0)
    trials = np.random.default_rng(0).normal(0, 1, 100)
    trials *= (0.5 / 250) ** 0.5 / trials.std(ddof=1)
    found = deflate_sharpe(moments, 100, trials)
    assert found.threshold == pytest.approx(0.1132, abs=5e-5)
    assert found.probability == pytest.approx(0.9004, abs=5e-5)


def test_one_trial_is_not_deflated() -> None:
    """The deflated ratio of a single trial is the probabilistic one."""
    moments = Moments(returns=500, sharpe=0.05, skewness=0.2, kurtosis=4.0)
    found = deflate_sharpe(moments, 1, np.array([0.05]))
    assert (found.threshold, found.probability) == (0.0, probabilistic_sharpe_ratio(moments))


def test_trials_that_failed_deflate_too() -> None:
    """With one outcome among ten trials the variance is that of a ratio without skill, 1 / (n - 1)."""
    moments = Moments(returns=401, sharpe=0.05, skewness=0.0, kurtosis=3.0)
    found = deflate_sharpe(moments, 10, np.array([0.05]))
    assert found.threshold == pytest.approx(expected_maximum(10) / 20)


def test_no_ratio_has_no_deflated_one() -> None:
    """Returns that do not vary: the count is still there."""
    found = deflate_sharpe(None, 7, np.array([]))
    assert (found.trials, found.probability) == (7, None)


@pytest.mark.parametrize("count", [2, 10, 100, 1000])
def test_the_expected_maximum_is_that_of_a_simulation(count: int) -> None:
    """The largest of normal draws on average; the paper's approximation is within 4 % of it from ten on."""
    simulated = np.random.default_rng(1).normal(size=(4000, count)).max(axis=1).mean()
    assert expected_maximum(count) == pytest.approx(simulated, rel=0.04 if count >= 10 else 0.1)


def test_the_standard_error_is_that_of_a_simulation() -> None:
    """Lo 2002: the ratio of 400 normal returns with a true one of 0.1 varies by sqrt((1 + 0.005) / 400)."""
    ratios = np.random.default_rng(2).normal(0.1, 1, (4000, 400))
    spread = float((ratios.mean(axis=1) / ratios.std(axis=1, ddof=1)).std())
    assert sharpe_standard_error(Moments(400, 0.1, 0.0, 3.0)) == pytest.approx(spread, rel=0.03)


def test_moments_are_those_of_scipy() -> None:
    """Skewness and kurtosis of skewed returns."""
    returns = np.random.default_rng(3).exponential(0.01, 300)
    found = summarize_moments(returns)
    assert found is not None
    assert (found.skewness, found.kurtosis) == pytest.approx(scipy_skewness_and_kurtosis(returns))


@pytest.mark.parametrize(
    "returns", [np.zeros(9), np.full(9, 0.01), np.array([0.1]), np.array([]), np.array([0, np.nan])]
)
def test_no_moments_without_variance(returns: np.ndarray) -> None:
    """Equal returns, fewer than two, or unknown ones."""
    assert summarize_moments(returns) is None


def deflated_best(seed: int, trials: int) -> float:
    """The deflated ratio of the best of as many series of noise."""
    returns = np.random.default_rng(seed).standard_t(5, (250, trials)) * 0.01
    moments = [found for found in map(summarize_moments, returns.T) if found is not None]
    best = max(moments, key=lambda one: one.sharpe)
    probability = deflate_sharpe(best, trials, np.array([one.sharpe for one in moments])).probability
    assert probability is not None
    return probability


def test_the_deflated_ratio_of_noise_is_uniform() -> None:
    """One trial of noise: every probability is equally frequent (Kolmogorov, Smirnov)."""
    assert probability_of_uniform([deflated_best(seed, 1) for seed in range(400)]) > 0.01


def test_the_best_of_fifty_trials_of_noise_rarely_passes() -> None:
    """Without deflation the best of fifty passes 95 % nearly always; deflated, in at most 5 % of the seeds."""
    found = np.array([deflated_best(seed, 50) for seed in range(200)])
    assert (found > 0.95).mean() <= 0.05
    assert 0.3 < found.mean() < 0.7


def search_overfitting(returns: np.ndarray, blocks: int) -> tuple[float, float]:
    """The definition, literally: rank the winner of each half among all trials in the other half."""
    parts = np.array_split(np.arange(len(returns)), blocks)
    logits, losses = list[float](), list[bool]()
    for chosen in combinations(range(blocks), blocks // 2):
        inside = np.concatenate([parts[block] for block in chosen])
        outside = np.setdiff1d(np.arange(len(returns)), inside)
        ratios = [returns[half].mean(axis=0) / returns[half].std(axis=0) for half in (inside, outside)]
        winner = int(ratios[0].argmax())
        relative = scipy_ranks(ratios[1])[winner] / (returns.shape[1] + 1)
        logits.append(float(np.log(relative / (1 - relative))))
        losses.append(bool(ratios[1][winner] < 0))
    return float(np.mean(np.array(logits) <= 0)), float(np.mean(losses))


@given(st.integers(0, 10_000), st.integers(2, 7), st.sampled_from([2, 4, 6]), st.integers(12, 40))
def test_overfitting_is_that_of_a_literal_search(seed: int, trials: int, blocks: int, sessions: int) -> None:
    """All splits of drawn returns, blocks of unequal length included."""
    returns = np.random.default_rng(seed).normal(0, 0.01, (sessions, trials))
    found = estimate_overfitting(returns, blocks)
    assert found is not None
    assert (found.probability, found.loss_probability) == pytest.approx(search_overfitting(returns, blocks))


def test_overfitting_by_hand() -> None:
    """Two trials, two blocks: the first gains in the first half only, the second in the second: a winner loses."""
    returns = np.array([[0.02, -0.02], [0.01, -0.01], [-0.02, 0.02], [-0.01, 0.01]])
    found = estimate_overfitting(returns, blocks=2)
    assert found is not None
    assert (found.probability, found.loss_probability, found.combinations) == (1.0, 1.0, 2)


def test_noise_has_a_probability_of_a_half() -> None:
    """The winner of one half is above or below the median of the other equally often; a mean over 60 seeds."""
    found = [estimate_overfitting(np.random.default_rng(seed).normal(0, 0.01, (256, 20))) for seed in range(60)]
    assert np.mean([one.probability for one in found if one is not None]) == pytest.approx(0.5, abs=0.08)


def test_one_trial_with_skill_among_noise_is_not_overfitted() -> None:
    """A Sharpe ratio of six a year wins in both halves."""
    returns = np.random.default_rng(5).normal(0, 0.01, (512, 20))
    returns[:, 3] += 0.004
    found = estimate_overfitting(returns)
    assert found is not None
    assert found.probability < 0.01
    assert found.loss_probability < 0.01


def test_equal_trials_share_the_middle() -> None:
    """The same strategy twice: neither is better, the rank of each is the mean one."""
    one = np.random.default_rng(6).normal(0, 0.01, (64, 1))
    found = estimate_overfitting(np.hstack([one, one]), blocks=4)
    assert found is not None
    assert found.probability == 1.0


def test_a_trial_that_held_nothing_has_a_ratio_of_zero() -> None:
    """It beats a trial that always loses, in every split."""
    loser = -0.01 + np.random.default_rng(7).normal(0, 0.001, (64, 1))
    found = estimate_overfitting(np.hstack([loser, np.zeros((64, 1))]), blocks=4)
    assert found is not None
    assert (found.probability, found.loss_probability) == (0.0, 0.0)


@pytest.mark.parametrize("shape", [(100, 1), (31, 5), (0, 0)])
def test_too_little_has_no_probability(shape: tuple[int, int]) -> None:
    """One trial has no rank; 31 sessions are fewer than two for each of 16 blocks."""
    assert estimate_overfitting(np.zeros(shape)) is None
