"""Ridge regression of log variances in three stages: features of tickers, of the market, and of earnings.

A date is one observation of the market, however many tickers it has: what all tickers share is fitted in a stage of its
own with a larger penalty, so that it cannot memorise dates.
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
    """The explanatory variables of log variances.

    Attributes:
        inputs: Standardised features, f64 [row, input]; finite in every row that is fitted on.
        shared: Which inputs are the same for all tickers of a date, bool [input].
        earnings: Earnings features of each target and step, f64 [row, earnings feature] each; read only in rows with
            history.
        has_history: Whether a row has the year of history that earnings features need, bool [row].
        session: The row's date by number, i64 [row].
    """

    inputs: np.ndarray
    shared: np.ndarray
    earnings: Sequence[Sequence[np.ndarray]]
    has_history: np.ndarray
    session: np.ndarray


def fit_staged_ridge(design: Design, targets: Sequence[np.ndarray], rows: np.ndarray) -> list[np.ndarray]:
    """Coefficients: features, intercept, earnings features, history-available flag; f64 [coefficient, step] a target.

    The first stage explains how a target differs between the tickers of a date, by their own inputs; the second
    explains the rest by the shared inputs; the third explains what is left by the earnings features. Rows with less
    than one year of history are excluded from the third stage.
    """
    inputs, has_history = design.inputs[rows], design.has_history[rows]
    dates = _group_by_date(design.session[rows])
    fitted: list[np.ndarray] = []
    for target, earnings in zip(targets, design.earnings, strict=True):
        coefficients = _fit_inputs_and_intercept(inputs, design.shared, target[rows], dates)
        residual = (target[rows] - _affine(inputs, coefficients))[has_history]
        features = [_append_ones(one[rows[has_history]]) for one in earnings]
        third = [_ridge(one, residual[:, step], RIDGE) for step, one in enumerate(features)]
        fitted.append(np.concatenate([coefficients, np.stack(third, axis=1)]))
    return fitted


def predict_log_variances(
    design: Design, fitted: Sequence[np.ndarray], rows: np.ndarray | slice = EVERY_ROW
) -> list[np.ndarray]:
    """The fitted log variances of some rows, f64 [row, step] for each target; NaN where an input is NaN."""
    inputs, with_history = design.inputs[rows], np.flatnonzero(design.has_history[rows])
    predicted: list[np.ndarray] = []
    for coefficients, earnings in zip(fitted, design.earnings, strict=True):
        first_two, third = np.split(coefficients, [inputs.shape[1] + 1])
        values = _affine(inputs, first_two)
        added = [_affine(one[rows][with_history], third[:, step]) for step, one in enumerate(earnings)]
        values[with_history] += np.stack(added, axis=1)
        predicted.append(values)
    return predicted


def cross_fit_log_variances(
    design: Design, targets: Sequence[np.ndarray], rows: np.ndarray, *, purge: int = HORIZON, embargo: int = EMBARGO
) -> list[np.ndarray]:
    """Out-of-sample log variances of rows by cross-fitting, f64 [row, step] for each target, in the rows' order.

    The rows' sessions are cut into five consecutive parts; each is predicted by coefficients fitted on the others. A
    fit is closer to its own rows than to later ones, so that quantiles pooled from its residuals would be too narrow.

    Args:
        design: The explanatory variables.
        targets: f64 [row, step] each.
        rows: Row numbers.
        purge: **Guard:** sessions left out on both sides of a part, so that no fitted target overlaps one in it.
        embargo: **Guard:** sessions left out beyond these, because volatility clusters.
    """
    session, gap = design.session[rows], purge + embargo
    days = np.unique(session)
    if len(days) < 2 * PARTS * gap:  # too short to leave enough on both sides
        return predict_log_variances(design, fit_staged_ridge(design, targets, rows), rows)
    predicted = [np.empty((len(rows), target.shape[1])) for target in targets]
    for part in np.array_split(days, PARTS):
        inside = (session >= part[0]) & (session <= part[-1])
        others = rows[(session < part[0] - gap) | (session > part[-1] + gap)]
        values = predict_log_variances(design, fit_staged_ridge(design, targets, others), rows[inside])
        for whole, piece in zip(predicted, values, strict=True):
            whole[inside] = piece
    return predicted


def _fit_inputs_and_intercept(
    inputs: np.ndarray, shared: np.ndarray, target: np.ndarray, dates: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Coefficients of the first two stages, f64 [input + 1, step]."""
    own = inputs[:, ~shared]
    within = _solve(_subtract_date_mean(own, dates), _subtract_date_mean(target, dates), np.full(own.shape[1], RIDGE))
    market = _ridge(_append_ones(inputs[:, shared]), target - own @ within, MARKET_RIDGE, penalise_last=False)
    coefficients = np.empty((inputs.shape[1] + 1, target.shape[1]))
    coefficients[:-1][~shared], coefficients[:-1][shared], coefficients[-1] = within, market[:-1], market[-1]
    return coefficients


def _group_by_date(session: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each row's date by position, i64 [row], and the number of rows of each date, i64 [date]."""
    _, place, count = np.unique(session, return_inverse=True, return_counts=True)
    return place, count


def _subtract_date_mean(values: np.ndarray, dates: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Values f64 [row, column] minus the mean of their date."""
    place, count = dates
    columns: list[np.ndarray] = [np.bincount(place, column) / count for column in values.T]
    return np.asarray(values - np.stack(columns, axis=1)[place])


def _append_ones(inputs: np.ndarray) -> np.ndarray:
    return np.concatenate([inputs, np.ones((len(inputs), 1))], axis=1)


def _affine(inputs: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """Inputs f64 [row, input] x coefficients f64 [input + 1, ...], the last of which is the intercept."""
    return np.asarray(inputs @ coefficients[:-1] + coefficients[-1])


def _ridge(inputs: np.ndarray, target: np.ndarray, strength: float, *, penalise_last: bool = True) -> np.ndarray:
    """Coefficients of a ridge regression, f64 [input] or [input, step]."""
    penalty = np.full(inputs.shape[1], strength)
    penalty[-1] *= penalise_last
    return _solve(inputs, target, penalty)


def _solve(inputs: np.ndarray, target: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.solve(inputs.T @ inputs + np.diag(penalty), inputs.T @ target))
