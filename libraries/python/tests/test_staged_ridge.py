"""Staged ridge: equal to least squares; each stage ignores the inputs of later stages; parts leave out what is near."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.baselines.staged_ridge import (
    EMBARGO,
    MARKET_RIDGE,
    PARTS,
    RIDGE,
    Design,
    SessionSums,
    held_out_parts,
    predict_log_variances,
)
from internal.features.windows import HORIZON

TICKERS, DAYS, TARGETS = 20, 300, 2
SHARED = np.array([True, False, False])
SESSION = np.repeat(np.arange(DAYS), TICKERS)
HISTORY = np.flatnonzero(SESSION >= DAYS // 3)
EVERY = np.ones((1, DAYS), bool)


@dataclass(frozen=True)
class Market:
    """Inputs of the date and two of tickers, two earnings features a target, and targets that are sums of all."""

    inputs: np.ndarray  # [row, input]
    earnings: np.ndarray  # [target, row, feature]
    targets: np.ndarray  # [row, target]

    def design(self, rows: np.ndarray) -> Design:
        """The explanatory variables of some rows; the first third of the sessions lacks history."""
        history = np.flatnonzero(np.isin(rows, HISTORY))
        return Design(self.inputs[rows], history, self.earnings[:, rows[history]])

    def solve(self, selections: np.ndarray = EVERY) -> np.ndarray:
        """Coefficients from sums to which each session's rows came in two portions."""
        sums = SessionSums(SHARED, DAYS, TARGETS, 2)
        for day in range(DAYS):
            for rows in np.array_split(np.flatnonzero(day == SESSION), 2):
                sums.add(day, self.design(rows), self.targets[rows])
        return sums.solve(selections)


@pytest.fixture(name="market")
def _market() -> Market:
    generator = np.random.default_rng(3)
    inputs = generator.normal(size=(DAYS * TICKERS, 3)) + generator.normal(size=(DAYS, 1))[SESSION]
    inputs[:, 0] = generator.normal(size=DAYS)[SESSION]
    earnings = np.abs(generator.normal(size=(TARGETS, DAYS * TICKERS, 2)))
    shock, noise = generator.normal(size=(DAYS, TARGETS))[SESSION], generator.normal(size=(DAYS * TICKERS, TARGETS))
    news = np.where(np.isin(np.arange(len(SESSION)), HISTORY), earnings[:, :, 0], 0).T
    return Market(inputs, earnings, inputs @ np.array([[0.7, 0.1], [1.0, 0.5], [0.2, 0.3]]) + news + shock + noise)


def _least_squares(inputs: np.ndarray, target: np.ndarray, penalty: list[float]) -> np.ndarray:
    """Ridge as NumPy's least squares: one more row an input, of the penalty's root, whose target is zero."""
    rows = np.concatenate([inputs, np.diag(np.sqrt(penalty))])
    return np.asarray(np.linalg.lstsq(rows, np.concatenate([target, np.zeros(len(penalty))]), rcond=None)[0])


@pytest.mark.parametrize("days", [range(DAYS), range(50, 250)])
@pytest.mark.parametrize("target", range(TARGETS))
def test_each_stage_is_least_squares(market: Market, days: range, target: int) -> None:
    """Deviations from the date's mean first, then shared inputs, then earnings features on what is left."""
    rows = np.flatnonzero(np.isin(SESSION, days))
    inputs, y, one = market.inputs[rows], market.targets[rows, target], np.ones(len(rows))

    def within(values: np.ndarray) -> np.ndarray:
        return np.concatenate([day - day.mean(axis=0) for day in np.split(values, len(days))])

    own = _least_squares(within(inputs[:, 1:]), within(y), [RIDGE] * 2)
    left = y - inputs[:, 1:] @ own
    shared = _least_squares(np.stack([inputs[:, 0], one], 1), left, [MARKET_RIDGE, 0.0])
    late = np.isin(rows, HISTORY)
    left = (left - inputs[:, 0] * shared[0] - shared[1])[late]
    earnings = np.concatenate([market.earnings[target, rows[late]], one[late, None]], axis=1)
    expected = [shared[0], *own, shared[1], *_least_squares(earnings, left, [RIDGE] * 3)]
    solved = market.solve(np.isin(np.arange(DAYS), days)[None])
    assert solved[0, :, target] == pytest.approx(expected)


def test_predictions_are_the_sum_of_the_stages(market: Market) -> None:
    """A row's log variance is its inputs, and with a year of history its earnings features, times coefficients."""
    coefficients, rows = market.solve()[0], np.arange(len(SESSION))
    predicted = predict_log_variances(market.design(rows), coefficients)
    for row, late in ((5, False), (int(HISTORY[7]), True)):
        for target in range(TARGETS):
            own = [*market.inputs[row], 1.0, *(market.earnings[target, row] * late), float(late)]
            assert predicted[row, target] == pytest.approx(np.dot(own, coefficients[:, target]))


@settings(deadline=None)  # the first one may compile the kernels
@given(st.lists(st.booleans(), max_size=300), st.integers(0, 3), st.integers(0, 2**32 - 1))
def test_predictions_in_numpy(has_history: list[bool], features: int, seed: int) -> None:
    """Of any rows, unknown inputs among them, some with a history: to the bit, where every product is exact."""
    random, targets, history = np.random.default_rng(seed), 4, np.flatnonzero(has_history)
    inputs = random.integers(-9, 9, (len(has_history), 5)).astype(float)
    inputs[::7, 2] = np.nan
    earnings = random.integers(-9, 9, (targets, len(history), features)).astype(float)
    coefficients = random.integers(-9, 9, (5 + 1 + features + 1, targets)) / 8
    coefficients[[5, -1]] = random.normal(size=(2, targets))
    expected = inputs @ coefficients[:5] + coefficients[5]
    expected[history] += (earnings @ coefficients[6:-1].T[:, :, None])[:, :, 0].T + coefficients[-1]
    found = predict_log_variances(Design(inputs, history, earnings), coefficients)
    np.testing.assert_array_equal(found, expected)
    narrow = coefficients.astype(np.float32)
    found = predict_log_variances(Design(inputs, history, earnings), narrow)
    np.testing.assert_array_equal(found, predict_log_variances(Design(inputs, history, earnings), narrow.astype(float)))


def test_histories_of_other_rows_are_refused(market: Market) -> None:
    """C would write elsewhere."""
    coefficients, design = market.solve()[0], market.design(np.arange(len(SESSION)))
    for history in (design.history + len(SESSION), design.history - int(HISTORY[0]) - 1, design.history[1:]):
        with pytest.raises(ValueError, match="rows with a history"):
            predict_log_variances(replace(design, history=history), coefficients)


def test_a_row_is_predicted_alike_in_any_company(market: Market) -> None:
    """Of 1 to 499 rows together each has the bits that it has among all; a product of one row alone is rounded else."""
    coefficients, every = market.solve()[0], market.design(np.arange(len(SESSION)))
    expected = predict_log_variances(every, coefficients)
    for count in (1, 2, 3, 7, 239, 240, 241, 499):
        for first in (0, 1, int(HISTORY[0]) - 1, int(HISTORY[0]), len(SESSION) - count):
            rows = np.arange(first, first + count)
            assert (predict_log_variances(market.design(rows), coefficients) == expected[rows]).all()


def test_a_shock_to_all_tickers_leaves_own_coefficients(market: Market) -> None:
    """A shock that moves every ticker of a date alike leaves the coefficients of tickers' own inputs unchanged."""
    shock = 10 * np.random.default_rng(5).normal(size=(DAYS, 1))[SESSION]
    shocked = replace(market, targets=market.targets + shock)
    assert shocked.solve()[0, 1:3] == pytest.approx(market.solve()[0, 1:3])


def test_a_part_is_not_fitted_on_itself(market: Market) -> None:
    """Poisoned targets of a part, and of the sessions next to it, leave its coefficients unchanged to the bit."""
    parts = held_out_parts(EVERY[0])
    selections, part = np.array([each.fitted_on for each in parts]), parts[1]
    gap = HORIZON + EMBARGO
    around = (part.first - gap <= SESSION) & (part.last + gap >= SESSION)
    poisoned = replace(market, targets=np.where(around[:, None], 100.0, market.targets))
    before, after = market.solve(selections), poisoned.solve(selections)
    assert before[1].tobytes() == after[1].tobytes()
    assert all((before[place] != after[place]).any() for place in (0, 2, 3, 4))


def test_later_sessions_change_no_bit(market: Market) -> None:
    """Coefficients on the first sessions are the same bits whatever the sums of later ones hold."""
    early = np.arange(DAYS)[None] < DAYS // 2
    poisoned = replace(market, targets=np.where(SESSION[:, None] >= DAYS // 2, np.nan, market.targets))
    assert poisoned.solve(early).tobytes() == market.solve(early).tobytes()


def test_parts_hold_every_session_once() -> None:
    """The parts follow each other, and sessions without rows are in no fit."""
    occupied = np.arange(DAYS) % 7 > 0
    parts = held_out_parts(occupied)
    days = np.flatnonzero(occupied)
    held_out = [days[(days >= part.first) & (days <= part.last)] for part in parts]
    assert len(parts) == PARTS
    assert np.concatenate(held_out).tolist() == days.tolist()
    assert not any((part.fitted_on & ~occupied).any() for part in parts)


def test_a_short_fold_is_fitted_on_itself() -> None:
    """Where five parts would leave too few sessions, there is one, fitted on all."""
    short = np.arange(DAYS) < 2 * PARTS * (HORIZON + EMBARGO) - 1
    (part,) = held_out_parts(short)
    assert (part.first, part.last) == (0, short.sum() - 1)
    assert (part.fitted_on == short).all()
