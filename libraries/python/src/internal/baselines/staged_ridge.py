"""Log variances in three ridge regressions: which ticker moves more, how much all of them move, whose news is due.

Knows arrays, and which inputs all tickers of a date share. Knows nothing of where inputs come from or what variances
are used for. A date is one observation of the market, however many tickers it has: what is shared by all of them is
fitted by itself, and harder held, so that it cannot memorise dates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from internal.baselines.forecast import EVERY_ROW
from internal.features.windows import HORIZON

RIDGE: Final = 1_000.0
MARKET_RIDGE: Final = 10_000.0
PARTS: Final = 5
EMBARGO: Final = 10


@dataclass(frozen=True)
class Design:
    """What variances are explained by.

    Attributes:
        inputs: Standardised, f64 [row, input]; finite wherever a row is fitted on.
        shared: Which inputs are the same for all tickers of a date, bool [input].
        clocks: The earnings clock of each answer and step, f64 [row, clock's input] each; read where it is awake alone.
        awake: Whether a row's history is long enough for the clock, bool [row].
        session: The row's date by number, i64 [row].
    """

    inputs: np.ndarray
    shared: np.ndarray
    clocks: Sequence[Sequence[np.ndarray]]
    awake: np.ndarray
    session: np.ndarray


def fit_staged_ridge(design: Design, answers: Sequence[np.ndarray], rows: np.ndarray) -> list[np.ndarray]:
    """Coefficients of inputs, one, the clock's inputs and its being awake, f64 [input + 1 + clock + 1, step] an answer.

    First the inputs of tickers explain how an answer differs within its date; then the shared inputs explain the rest;
    then the clock explains what is left, only where it is awake: the silence of a short history teaches nothing.
    """
    inputs, awake = design.inputs[rows], design.awake[rows]
    between = _between(design.session[rows])
    fitted = []
    for answer, clocks in zip(answers, design.clocks, strict=True):
        coefficients = _inputs_and_one(inputs, design.shared, answer[rows], between)
        left = (answer[rows] - _affine(inputs, coefficients))[awake]
        heard = [_with_one(clock[rows[awake]]) for clock in clocks]
        news = [_ridge(clock, left[:, step], RIDGE) for step, clock in enumerate(heard)]
        fitted.append(np.concatenate([coefficients, np.stack(news, axis=1)]))
    return fitted


def predict_log_variances(
    design: Design, fitted: Sequence[np.ndarray], rows: np.ndarray | slice = EVERY_ROW
) -> list[np.ndarray]:
    """What the coefficients say of some rows, f64 [row, step] for each answer; NaN where an input is."""
    inputs, awake, said = design.inputs[rows], np.flatnonzero(design.awake[rows]), []
    for coefficients, clocks in zip(fitted, design.clocks, strict=True):
        plain, news = np.split(coefficients, [inputs.shape[1] + 1])
        found = _affine(inputs, plain)
        heard = [_affine(clock[rows][awake], news[:, step]) for step, clock in enumerate(clocks)]
        found[awake] += np.stack(heard, axis=1)
        said.append(found)
    return said


def cross_fit_log_variances(
    design: Design, answers: Sequence[np.ndarray], rows: np.ndarray, *, purge: int = HORIZON, embargo: int = EMBARGO
) -> list[np.ndarray]:
    """What coefficients say of rows that they were not fitted on, f64 [row, step] for each answer, in the rows' order.

    The rows' sessions are cut into five parts that follow one another; each is forecast by what the others fitted.
    A fit is closer to its own rows than to any later ones, and quantiles pooled in its units would be too narrow.

    Args:
        design: The inputs.
        answers: f64 [row, step] each.
        rows: Row numbers.
        purge: **Guard:** sessions left out on both sides of a part, so that no answer fitted on overlaps one in it.
        embargo: **Guard:** sessions left out beyond these, because volatility clusters.
    """
    session, gap = design.session[rows], purge + embargo
    days = np.unique(session)
    if len(days) < 2 * PARTS * gap:  # too short to leave enough on both sides
        return predict_log_variances(design, fit_staged_ridge(design, answers, rows), rows)
    unseen = [np.empty((len(rows), answer.shape[1])) for answer in answers]
    for part in np.array_split(days, PARTS):
        inside = (session >= part[0]) & (session <= part[-1])
        others = rows[(session < part[0] - gap) | (session > part[-1] + gap)]
        found = predict_log_variances(design, fit_staged_ridge(design, answers, others), rows[inside])
        for whole, piece in zip(unseen, found, strict=True):
            whole[inside] = piece
    return unseen


def _inputs_and_one(
    inputs: np.ndarray, shared: np.ndarray, answer: np.ndarray, between: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """The first two stages, f64 [input + 1, step]."""
    own = inputs[:, ~shared]
    within = _solve(_within(own, between), _within(answer, between), np.full(own.shape[1], RIDGE))
    market = _ridge(_with_one(inputs[:, shared]), answer - own @ within, MARKET_RIDGE, free=True)
    coefficients = np.empty((inputs.shape[1] + 1, answer.shape[1]))
    coefficients[:-1][~shared], coefficients[:-1][shared], coefficients[-1] = within, market[:-1], market[-1]
    return coefficients


def _between(session: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each row's place among the dates, i64 [row], and how many rows a date has, i64 [date]."""
    _, place, count = np.unique(session, return_inverse=True, return_counts=True)
    return place, count


def _within(values: np.ndarray, between: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Values f64 [row, column] less their date's mean."""
    place, count = between
    means = np.stack([np.bincount(place, column) / count for column in values.T], axis=1)
    return np.asarray(values - means[place])


def _with_one(inputs: np.ndarray) -> np.ndarray:
    return np.concatenate([inputs, np.ones((len(inputs), 1))], axis=1)


def _affine(inputs: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """Inputs f64 [row, input] x coefficients f64 [input + 1, ...], the last of which is what one adds."""
    return np.asarray(inputs @ coefficients[:-1] + coefficients[-1])


def _ridge(inputs: np.ndarray, answer: np.ndarray, strength: float, *, free: bool = False) -> np.ndarray:
    """Ridge regression, f64 [input] or [input, step]; the last input goes unpenalised where it is free."""
    penalty = np.full(inputs.shape[1], strength)
    penalty[-1] *= not free
    return _solve(inputs, answer, penalty)


def _solve(inputs: np.ndarray, answer: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.solve(inputs.T @ inputs + np.diag(penalty), inputs.T @ answer))
