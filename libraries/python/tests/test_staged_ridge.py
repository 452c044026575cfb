"""Staged ridge: equal to least squares; each stage ignores the inputs of later stages; parts are cross-fitted."""

from dataclasses import replace

import numpy as np
import pytest

from internal.baselines.staged_ridge import (
    EMBARGO,
    MARKET_RIDGE,
    PARTS,
    RIDGE,
    Design,
    cross_fit_log_variances,
    fit_staged_ridge,
    predict_log_variances,
)
from internal.features.windows import HORIZON

TICKERS, DAYS = 20, 300
SHARED = np.array([False, False, True])


@pytest.fixture(name="design")
def _design() -> Design:
    """Two inputs of tickers, one of the date, two earnings features at two steps; the first third lacks history."""
    generator = np.random.default_rng(3)
    session = np.repeat(np.arange(DAYS), TICKERS)
    inputs = generator.normal(size=(DAYS * TICKERS, 3)) + generator.normal(size=(DAYS, 1))[session]
    inputs[:, 2] = generator.normal(size=DAYS)[session]
    earnings = [[np.abs(generator.normal(size=(DAYS * TICKERS, 2))) for _ in range(2)]]
    return Design(inputs, SHARED, earnings, session >= DAYS // 3, session)


@pytest.fixture(name="target")
def _target(design: Design) -> np.ndarray:
    """A sum of all inputs, one shock a date, and noise."""
    generator = np.random.default_rng(4)
    shock = generator.normal(size=(DAYS, 2))[design.session]
    news = np.stack([one[:, 0] * design.has_history for one in design.earnings[0]], axis=1)
    noise = generator.normal(size=(len(shock), 2))
    return np.asarray(design.inputs @ np.array([[1.0, 0.5], [0.2, 0.3], [0.7, 0.1]]) + news + shock + noise)


def _least_squares(inputs: np.ndarray, target: np.ndarray, penalty: list[float]) -> np.ndarray:
    """Ridge as NumPy's least squares: one more row an input, of the penalty's root, whose target is zero."""
    rows = np.concatenate([inputs, np.diag(np.sqrt(penalty))])
    return np.asarray(np.linalg.lstsq(rows, np.concatenate([target, np.zeros(len(penalty))]), rcond=None)[0])


def test_each_stage_is_least_squares(design: Design, target: np.ndarray) -> None:
    """Deviations from the date's mean first, then shared inputs, then earnings features on what is left."""
    rows = np.arange(len(target))
    step, one = 1, np.ones(len(rows))

    def within(values: np.ndarray) -> np.ndarray:
        return np.concatenate([day - day.mean(axis=0) for day in np.split(values, DAYS)])

    y = target[:, step]
    own = _least_squares(within(design.inputs[:, :2]), within(y), [RIDGE] * 2)
    left = y - design.inputs[:, :2] @ own
    market = _least_squares(np.stack([design.inputs[:, 2], one], 1), left, [MARKET_RIDGE, 0.0])
    left = (left - design.inputs[:, 2] * market[0] - market[1])[design.has_history]
    earnings = np.concatenate([design.earnings[0][step], one[:, None]], axis=1)[design.has_history]
    expected = [*own, *market, *_least_squares(earnings, left, [RIDGE] * 3)]
    assert fit_staged_ridge(design, [target], rows)[0][:, step] == pytest.approx(expected)


def test_a_shock_to_all_tickers_leaves_own_coefficients(design: Design, target: np.ndarray) -> None:
    """A shock that moves every ticker of a date alike leaves the coefficients of tickers' own inputs unchanged."""
    rows = np.arange(len(target))
    shocked = target + 10 * np.random.default_rng(5).normal(size=(DAYS, 1))[design.session]
    own = [fit_staged_ridge(design, [one], rows)[0][:2] for one in (target, shocked)]
    assert own[1] == pytest.approx(own[0])


def test_rows_without_history_are_excluded(design: Design, target: np.ndarray) -> None:
    """Earnings features of rows without history change neither coefficients nor forecasts by one bit."""
    rows = np.arange(len(target))
    poisoned = [[np.where(design.has_history[:, None], one, 1e6) for one in design.earnings[0]]]
    fitted, other = (fit_staged_ridge(one, [target], rows) for one in (design, replace(design, earnings=poisoned)))
    assert fitted[0].tobytes() == other[0].tobytes()
    expected = predict_log_variances(design, fitted, rows)[0]
    assert predict_log_variances(replace(design, earnings=poisoned), fitted, rows)[0].tobytes() == expected.tobytes()


def test_a_part_is_not_fitted_on_itself(design: Design, target: np.ndarray) -> None:
    """Poisoned targets of a part, and of the sessions next to it, leave its own forecasts unchanged to the bit."""
    rows = np.arange(len(target))
    part = (design.session >= DAYS // PARTS) & (design.session < 2 * DAYS // PARTS)
    gap = HORIZON + EMBARGO
    around = (design.session >= DAYS // PARTS - gap) & (design.session < 2 * DAYS // PARTS + gap)
    poisoned = np.where(around[:, None], 100.0, target)
    before, after = (cross_fit_log_variances(design, [one], rows)[0] for one in (target, poisoned))
    assert before[part].tobytes() == after[part].tobytes()
    assert (before[~part] != after[~part]).all()


def test_a_short_fold_is_fitted_on_itself(design: Design, target: np.ndarray) -> None:
    """Where five parts would leave too few rows, the forecast is the fit's own."""
    rows = np.flatnonzero(design.session < 2 * PARTS * (HORIZON + EMBARGO) - 1)
    expected = predict_log_variances(design, fit_staged_ridge(design, [target], rows), rows)[0]
    assert cross_fit_log_variances(design, [target], rows)[0].tobytes() == expected.tobytes()
