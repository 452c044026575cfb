"""Ridge regression of log variances in three stages: features of tickers, of the market, and of earnings.

A date is one observation of the market, however many tickers it has: what all tickers share is fitted in a stage of its
own with a larger penalty, so that it cannot memorise dates. Everything that a fit needs is a sum over sessions, so that
the rows are read once and coefficients of any set of sessions are solved from the sums.
"""

import ctypes
from dataclasses import dataclass
from typing import Final

import numpy as np

from internal.bar_kernels.library import Terms, load_volatility
from internal.features.windows import HORIZON

RIDGE: Final = 1_000.0
MARKET_RIDGE: Final = 10_000.0
PARTS: Final = 5
EMBARGO: Final = 10
BLOCK_ROWS: Final = 240  # a multiple of all numbers of rows that BLAS takes at once


@dataclass(frozen=True)
class Design:
    """The explanatory variables of the log variances of some rows. A target is a kind of variance and a step.

    Attributes:
        inputs: Standardised features, f64 [row, input].
        history: Places of the rows with the year of history that earnings features need, i64 [row with history].
        earnings: Their earnings features, f64 [target, row with history, earnings feature].
    """

    inputs: np.ndarray
    history: np.ndarray
    earnings: np.ndarray


@dataclass(frozen=True)
class HeldOutPart:
    """Consecutive sessions whose rows are predicted by a fit on other sessions.

    Attributes:
        first: Its first session's number.
        last: Its last session's.
        fitted_on: Which sessions the fit uses, bool [session].
    """

    first: int
    last: int
    fitted_on: np.ndarray


class SessionSums:
    """Sums of products of variables by session, from which `solve` finds coefficients.

    The first stage explains how a target differs between the tickers of a date, by their own inputs; the second
    explains the rest by the shared inputs; the third explains what is left by the earnings features. Rows with less
    than one year of history are excluded from the third stage.
    """

    def __init__(self, shared: np.ndarray, session_count: int, target_count: int, feature_count: int) -> None:
        """Starts at zero.

        Args:
            shared: Which inputs are the same for all tickers of a date, bool [input].
            session_count: Number of sessions.
            target_count: Number of targets.
            feature_count: Number of earnings features.
        """
        inputs, features = len(shared), feature_count + 1
        self._order = np.argsort(shared, kind="stable")  # the tickers' own inputs first
        self._own, self._one = int((~shared).sum()), inputs
        width = inputs + 1 + target_count
        self._products = np.zeros((session_count, width, width))  # of inputs, one and targets with each other
        self._within = np.zeros((session_count, self._own, width))  # the same after the means of the date
        self._stale = np.zeros(session_count, bool)  # sessions whose `_within` is not up to date
        self._features = np.zeros((session_count, target_count, features, features))
        self._features_by_inputs = np.zeros((session_count, target_count, features, inputs + 1))
        self._features_by_target = np.zeros((session_count, target_count, features, 1))

    @property
    def row_counts(self) -> np.ndarray:
        """Number of rows of each session, f64 [session]."""
        return np.asarray(self._products[:, self._one, self._one])

    def add(self, session: int, design: Design, targets: np.ndarray) -> None:
        """Add rows of a session, with their targets f64 [row, target]; all values finite."""
        ones = np.ones((len(targets), 1))
        variables = np.concatenate([design.inputs[:, self._order], ones, targets], axis=1)
        self._products[session] += variables.T @ variables
        self._stale[session] = True
        if not len(design.history):
            return
        count, rows, features = len(design.earnings), len(design.history), design.earnings.shape[2]
        across = np.ones((count, features + 1, rows))
        across[:, :features] = design.earnings.transpose(0, 2, 1)
        known = variables[design.history]
        by_variables = (across.reshape(-1, rows) @ known).reshape(count, features + 1, -1)
        self._features[session] += across @ across.transpose(0, 2, 1)
        self._features_by_inputs[session] += by_variables[:, :, : self._one + 1]
        own_target = np.arange(count)
        self._features_by_target[session, :, :, 0] += by_variables[own_target, :, self._one + 1 + own_target]

    def solve(self, selections: np.ndarray) -> np.ndarray:
        """Coefficients fitted on some sessions, f64 [selection, coefficient, target], of bool [selection, session].

        The coefficients are of features, intercept, earnings features, history-available flag.
        """
        count = int(np.flatnonzero(selections.any(axis=0))[-1]) + 1  # later sessions are not read
        weights = selections[:, :count].astype(np.float64)
        self._subtract_date_means()
        by_session = (self._products, self._within, self._features, self._features_by_inputs, self._features_by_target)
        sums = [_weigh(weights, one[:count]) for one in by_session]
        return np.stack([self._solve(*each) for each in zip(*sums, strict=True)])

    def _subtract_date_means(self) -> None:
        """Bring `_within` up to date: the sum of (x - mean x) (y - mean y) is that of x y minus sum x times mean y."""
        products = self._products[self._stale]
        means = products[:, self._one] / products[:, self._one, self._one, None]
        own = products[:, : self._own]
        self._within[self._stale] = own - own[:, :, self._one, None] * means[:, None]
        self._stale[:] = False

    def _solve(
        self,
        products: np.ndarray,
        within: np.ndarray,
        features: np.ndarray,
        features_by_inputs: np.ndarray,
        features_by_target: np.ndarray,
    ) -> np.ndarray:
        """Coefficients f64 [coefficient, target] from sums over sessions."""
        own, market, targets = slice(self._own), slice(self._own, self._one + 1), slice(self._one + 1, None)
        first = _ridge(within[:, own], within[:, targets], RIDGE)
        residual = products[market, targets] - products[market, own] @ first
        penalty = np.append(np.full(self._one - self._own, MARKET_RIDGE), 0.0)  # the intercept is free
        both = np.concatenate([first, _ridge(products[market, market], residual, penalty)])
        left = features_by_target - features_by_inputs @ both.T[:, :, None]  # [target, feature, 1]
        coefficients = np.concatenate([both, _ridge(features, left, RIDGE)[:, :, 0].T])
        coefficients[self._order] = both[:-1]
        return coefficients


def predict_log_variances(design: Design, coefficients: np.ndarray) -> np.ndarray:
    """The log variances that coefficients f64 [coefficient, target] predict, f64 [row, target]; NaN for NaN inputs.

    **Guard:** those of a row are the same bits whatever rows are with it: another ticker's later bars, which move the
    borders of the parts in which a panel is read, change no forecast.
    """
    affine, third = np.split(coefficients, [design.inputs.shape[1] + 1])
    values = _multiply_rows(design.inputs, affine[:-1])
    history = np.ascontiguousarray(design.history, np.int64)
    clocked = _multiply_rows(design.earnings, third[:-1].T[:, :, None]) if len(history) else np.empty(0)
    if len(history) and (
        not 0 <= history.min() <= history.max() < len(values) or clocked.shape != (values.shape[1], len(history), 1)
    ):
        raise ValueError(f"{len(history)} rows with a history of {len(values)} have earnings {design.earnings.shape}")
    intercepts, flags = (np.ascontiguousarray(row, np.float64) for row in (affine[-1], third[-1]))
    terms = Terms(intercepts.ctypes.data, history.ctypes.data, len(history), clocked.ctypes.data, flags.ctypes.data)
    load_volatility().add_terms(ctypes.byref(terms), values.ctypes.data, *values.shape)
    return values


def _multiply_rows(rows: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """The matrix product in blocks of BLOCK_ROWS: BLAS rounds a row that is alone, or maybe the last few, otherwise.

    Args:
        rows: f64 [..., row, input].
        coefficients: f64 [..., input, target].
    """
    *batch, length, inputs = rows.shape
    width, count = coefficients.shape[-1], length // BLOCK_ROWS
    whole = count * BLOCK_ROWS
    product = np.empty((*batch, length, width))
    blocks = rows[..., :whole, :].reshape(*batch, count, BLOCK_ROWS, inputs)
    out = product[..., :whole, :].reshape(*batch, count, BLOCK_ROWS, width)  # a view
    np.matmul(blocks, coefficients[..., None, :, :], out=out)
    padded = np.zeros((*batch, BLOCK_ROWS, inputs))
    padded[..., : length - whole, :] = rows[..., whole:, :]
    product[..., whole:, :] = (padded @ coefficients)[..., : length - whole, :]
    return product


def held_out_parts(occupied: np.ndarray, *, purge: int = HORIZON, embargo: int = EMBARGO) -> list[HeldOutPart]:
    """Five consecutive parts of sessions, each to be predicted by coefficients fitted on the others.

    A fit is closer to its own rows than to later ones, so that quantiles pooled from its residuals would be too narrow.
    Where the gaps would leave too few sessions, one part that is fitted on itself.

    Args:
        occupied: Which sessions have rows, bool [session].
        purge: **Guard:** sessions left out on both sides of a part, so that no fitted target overlaps one in it.
        embargo: **Guard:** sessions left out beyond these, because volatility clusters.
    """
    days, gap, number = np.flatnonzero(occupied), purge + embargo, np.arange(len(occupied))
    if len(days) < 2 * PARTS * gap:
        return [HeldOutPart(int(days[0]), int(days[-1]), occupied)]
    return [
        HeldOutPart(int(part[0]), int(part[-1]), occupied & ((number < part[0] - gap) | (number > part[-1] + gap)))
        for part in np.array_split(days, PARTS)
    ]


def _weigh(weights: np.ndarray, by_session: np.ndarray) -> np.ndarray:
    """Weighted sums over sessions, f64 [selection, ...], of f64 [session, ...]."""
    flat = weights @ by_session.reshape(len(by_session), -1)
    return np.asarray(flat.reshape(len(weights), *by_session.shape[1:]))


def _ridge(products: np.ndarray, moments: np.ndarray, penalty: float | np.ndarray) -> np.ndarray:
    """Coefficients of ridge regressions from the inputs' products with each other and with the targets."""
    return np.asarray(np.linalg.solve(products + penalty * np.eye(products.shape[-1]), moments))
