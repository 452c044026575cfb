"""Weights of experts: the update by hand, the published bound on regret, and losses that count only once known."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from internal.baselines.expert_replay import GROUPS, ExpertForecasts, replay
from internal.baselines.expert_weights import ExpertState
from internal.forecasting.quantiles import RowQuantiles

ROUNDS = 60


def test_three_rounds_by_hand() -> None:
    """Two experts, differences of +-0.1, +-0.2 and +-0.1 without decay.

    The largest difference is 0.1, 0.2, 0.2, the sum of squares before each round 0, 0.01, 0.05, so that the learning
    rate is at each update min(1 / 0.2, sqrt(ln 2 / 0.01)) = 5, then min(1 / 0.4, sqrt(ln 2 / 0.05)) = 2.5, and
    min(1 / 0.4, sqrt(ln 2 / 0.09)) = 2.5. After the third round the squares are 0.06 and the rate is still 2.5.
    """
    state = ExpertState.start(2, 1)
    assert state.weights().ravel().tolist() == [0.5, 0.5]
    expected = np.zeros(2)
    for difference, rate, following in ((0.1, 5.0, 5.0), (0.2, 2.5, 2.5), (-0.1, 2.5, 2.5)):
        gains = np.array([[difference], [-difference]])
        state = state.update(gains, decay=1.0)
        expected += gains.ravel() - rate * difference**2
        raised = np.exp(following * expected)
        assert state.weights().ravel() == pytest.approx(raised / raised.sum())
    assert state.gain.ravel() == pytest.approx([0.2 - 0.05 - 0.1 - 0.025, -0.2 - 0.05 - 0.1 - 0.025])


def test_decay_by_hand() -> None:
    """A session without news leaves 99 % of the sums; the largest difference stays."""
    state = ExpertState.start(2, 1).update(np.array([[0.1], [-0.1]]))
    after = state.update(np.zeros((2, 1)))
    assert after.gain == pytest.approx(0.99 * state.gain)
    assert after.square == pytest.approx(0.99 * state.square)
    assert after.largest == pytest.approx(0.1)


@given(arrays(np.float64, (ROUNDS, 3), elements=st.floats(0, 1)))
def test_bound_on_regret(losses: np.ndarray) -> None:
    """The combination's loss exceeds each expert's by no more than Gaillard, Stoltz and van Erven (2014) prove.

    Their corollary 4 for differences of at most one: with G = 3 ln K + ln(1 + K / (2 e) (1 + ln(T + 1))) the regret
    is below G / sqrt(ln K) sqrt(1 + sum of squared differences) + 2 G.
    """
    state = replace(ExpertState.start(3, 1), largest=np.ones(1))
    regret, squares = np.zeros(3), np.zeros(3)
    for loss in losses:
        gains = float(state.weights().ravel() @ loss) - loss
        regret, squares = regret + gains, squares + gains**2
        state = state.update(gains[:, None], decay=1.0)
    many = 3 * np.log(3) + np.log(1 + 3 / (2 * np.e) * (1 + np.log(ROUNDS + 1)))
    assert (regret <= many / np.sqrt(np.log(3)) * np.sqrt(1 + squares) + 2 * many).all()


def test_the_better_expert_is_found() -> None:
    """Of two experts with noisy losses the one that is better by a third of the noise has nearly all weight."""
    state, random = ExpertState.start(2, 1), np.random.default_rng(1)
    for _ in range(400):
        loss = random.normal([1.0, 1.1], 0.3)
        gains = float(state.weights().ravel() @ loss) - loss
        state = state.update(gains[:, None], decay=1.0)
    assert state.weights()[0, 0] > 0.95


@pytest.mark.parametrize("smallest", [5e-324, 1e-200, 1e-40])
def test_differences_of_nothing(smallest: float) -> None:
    """Differences so small that their squares are zero or less than any number leave equal weights."""
    state = ExpertState.start(2, 1).update(np.array([[smallest], [-smallest]]))
    assert state.weights().ravel().tolist() == [0.5, 0.5]


@given(st.floats(1e-6, 1e6), arrays(np.int64, (20, 3, 2), elements=st.integers(-1000, 1000)))
def test_unit_of_losses_changes_nothing(unit: float, rounds: np.ndarray) -> None:
    """Weights are the same when every loss is in another unit: nothing has to be tuned to the size of returns."""
    one, other = ExpertState.start(3, 2), ExpertState.start(3, 2)
    for gains in rounds / 1000:
        one, other = one.update(gains), other.update(gains * unit)
        assert one.weights().sum(axis=0) == pytest.approx(1)
        assert other.weights() == pytest.approx(one.weights(), abs=1e-6)


def _forecasts(sessions: int, tickers: int) -> ExpertForecasts:
    """Three experts whose intervals are too narrow, right and too wide, on normal returns."""
    random, rows = np.random.default_rng(7), sessions * tickers
    moves = random.normal(0, 0.01, (rows, 7))
    roots = np.sqrt(np.arange(1, 8))[:, None]

    def expert(width: float) -> RowQuantiles:
        daily = np.broadcast_to(0.01 * 1.2816 * width * np.array([-1.0, 0.0, 1.0]), (rows, 7, 3))
        return RowQuantiles(daily * roots, daily)

    return ExpertForecasts.of(
        np.repeat(np.arange(sessions), tickers), [[expert(one)] for one in (0.6, 1.0, 1.5)], np.cumsum(moves, axis=1)
    )


def test_weights_go_to_the_right_width() -> None:
    """Between widths of 0.6 and 1.5 the right one gains weight in both measures; equal medians keep equal weights."""
    weights = replay(ExpertState.start(3, GROUPS), _forecasts(120, 20), 0, 119)[119].weights()
    assert (weights[1, [0, 2]] > 0.5).all()
    assert weights[:, [1, 3]] == pytest.approx(np.full((3, 2), 1 / 3))


def test_first_news_by_hand() -> None:
    """After one session only forecasts of one session are judged, each by its mean over the tickers."""
    forecasts = _forecasts(3, 20)
    states = replay(ExpertState.start(3, GROUPS), forecasts, 0, 1)
    gains = np.zeros((3, GROUPS))
    for measure in (0, 1):
        truth, each = (
            forecasts.truth[measure, :20, 0],
            forecasts.read(np.arange(20))[:, measure, :, 0].astype(np.float64),
        )
        for place, level in enumerate((0.1, 0.5, 0.9)):
            combined = each[:, :, place].mean(axis=0)
            slope = (truth < combined) - level
            gains[:, 2 * measure + place % 2] += (slope * (combined - each[:, :, place])).mean(axis=1)
    assert states[0].weights() == pytest.approx(np.full((3, GROUPS), 1 / 3))
    expected = ExpertState.start(3, GROUPS).update(gains)
    assert states[1].gain == pytest.approx(expected.gain)
    assert states[1].square == pytest.approx(expected.square)


@pytest.mark.parametrize("later", [float("nan"), 1e9])
def test_unknown_outcomes_change_nothing(later: float) -> None:
    """Outcomes that come after a session change no weight up to it by one bit."""
    forecasts = _forecasts(40, 6)
    known = forecasts.session[:, None] + np.arange(1, 8) <= 25
    other = replace(forecasts, truth=np.where(known, forecasts.truth, later))
    start = ExpertState.start(3, GROUPS)
    one, two = (replay(start, each, 0, 39) for each in (forecasts, other))
    assert all(one[day].weights().tobytes() == two[day].weights().tobytes() for day in range(26))
    assert one[39].weights().tobytes() != two[39].weights().tobytes()


def test_few_outcomes_change_nothing() -> None:
    """The losses of four tickers move no weight."""
    states = replay(ExpertState.start(3, GROUPS), _forecasts(30, 4), 0, 29)
    assert (states[29].weights() == 1 / 3).all()
