"""Regressions in stages: equal to least squares, deaf to what a stage must not hear, blind to the part judged."""

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
    """Two inputs of tickers, one of the date, a clock of two inputs at two steps; the first third sleeps."""
    generator = np.random.default_rng(3)
    session = np.repeat(np.arange(DAYS), TICKERS)
    inputs = generator.normal(size=(DAYS * TICKERS, 3)) + generator.normal(size=(DAYS, 1))[session]
    inputs[:, 2] = generator.normal(size=DAYS)[session]
    clocks = [[np.abs(generator.normal(size=(DAYS * TICKERS, 2))) for _ in range(2)]]
    return Design(inputs, SHARED, clocks, session >= DAYS // 3, session)


@pytest.fixture(name="answer")
def _answer(design: Design) -> np.ndarray:
    """Made of everything, and of one shock a date."""
    generator = np.random.default_rng(4)
    shock = generator.normal(size=(DAYS, 2))[design.session]
    news = np.stack([clock[:, 0] * design.awake for clock in design.clocks[0]], axis=1)
    noise = generator.normal(size=(len(shock), 2))
    return np.asarray(design.inputs @ np.array([[1.0, 0.5], [0.2, 0.3], [0.7, 0.1]]) + news + shock + noise)


def _least_squares(inputs: np.ndarray, answer: np.ndarray, penalty: list[float]) -> np.ndarray:
    """Ridge as NumPy's least squares: one more row an input, of the penalty's root, whose answer is zero."""
    rows = np.concatenate([inputs, np.diag(np.sqrt(penalty))])
    return np.asarray(np.linalg.lstsq(rows, np.concatenate([answer, np.zeros(len(penalty))]), rcond=None)[0])


def test_each_stage_is_least_squares(design: Design, answer: np.ndarray) -> None:
    """Deviations from the date's mean first, then what all tickers share, then the clock on what is left."""
    rows = np.arange(len(answer))
    step, one = 1, np.ones(len(rows))

    def within(values: np.ndarray) -> np.ndarray:
        return np.concatenate([day - day.mean(axis=0) for day in np.split(values, DAYS)])

    y = answer[:, step]
    own = _least_squares(within(design.inputs[:, :2]), within(y), [RIDGE] * 2)
    left = y - design.inputs[:, :2] @ own
    market = _least_squares(np.stack([design.inputs[:, 2], one], 1), left, [MARKET_RIDGE, 0.0])
    left = (left - design.inputs[:, 2] * market[0] - market[1])[design.awake]
    clock = np.concatenate([design.clocks[0][step], one[:, None]], axis=1)[design.awake]
    expected = [*own, *market, *_least_squares(clock, left, [RIDGE] * 3)]
    assert fit_staged_ridge(design, [answer], rows)[0][:, step] == pytest.approx(expected)


def test_a_shock_to_all_teaches_nothing_of_tickers(design: Design, answer: np.ndarray) -> None:
    """What moves every ticker of a date alike leaves the coefficients of tickers' own inputs as they were."""
    rows = np.arange(len(answer))
    shocked = answer + 10 * np.random.default_rng(5).normal(size=(DAYS, 1))[design.session]
    own = [fit_staged_ridge(design, [one], rows)[0][:2] for one in (answer, shocked)]
    assert own[1] == pytest.approx(own[0])


def test_silence_teaches_nothing(design: Design, answer: np.ndarray) -> None:
    """What the clock says where it sleeps changes neither coefficients nor forecasts by one bit."""
    rows = np.arange(len(answer))
    loud = [[np.where(design.awake[:, None], clock, 1e6) for clock in design.clocks[0]]]
    fitted, other = (fit_staged_ridge(one, [answer], rows) for one in (design, replace(design, clocks=loud)))
    assert fitted[0].tobytes() == other[0].tobytes()
    quiet = predict_log_variances(design, fitted, rows)[0]
    assert predict_log_variances(replace(design, clocks=loud), fitted, rows)[0].tobytes() == quiet.tobytes()


def test_a_part_is_not_seen(design: Design, answer: np.ndarray) -> None:
    """Poisoned answers of a part, and of the sessions next to it, change its own forecasts by not one bit."""
    rows = np.arange(len(answer))
    part = (design.session >= DAYS // PARTS) & (design.session < 2 * DAYS // PARTS)
    gap = HORIZON + EMBARGO
    around = (design.session >= DAYS // PARTS - gap) & (design.session < 2 * DAYS // PARTS + gap)
    poisoned = np.where(around[:, None], 100.0, answer)
    before, after = (cross_fit_log_variances(design, [one], rows)[0] for one in (answer, poisoned))
    assert before[part].tobytes() == after[part].tobytes()
    assert (before[~part] != after[~part]).all()


def test_a_short_fold_sees_itself(design: Design, answer: np.ndarray) -> None:
    """Where five parts would leave too little, the forecast is the fit's own."""
    rows = np.flatnonzero(design.session < 2 * PARTS * (HORIZON + EMBARGO) - 1)
    expected = predict_log_variances(design, fit_staged_ridge(design, [answer], rows), rows)[0]
    assert cross_fit_log_variances(design, [answer], rows)[0].tobytes() == expected.tobytes()
