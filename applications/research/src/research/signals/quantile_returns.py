"""Returns by quantile of the score, and how fast the quantiles change."""

from dataclasses import dataclass

import numpy as np

from internal.overlapping_means import Estimate, estimate_mean
from internal.trading.arrays import FloatArray
from research.signals.ranks import rank_rows

QUANTILES = 5


@dataclass(frozen=True, slots=True)
class QuantileReturns:
    """Mean returns over one horizon, less the mean of the session's names; fractions.

    Attributes:
        horizon: Sessions.
        means: Of each quantile, the lowest score first.
        spread: Highest less lowest.
    """

    horizon: int
    means: tuple[float, ...]
    spread: Estimate


def assign_quantiles(scores: FloatArray) -> FloatArray:
    """[S, N] quantile of each score within its session, 0 to QUANTILES - 1; NaN without a score."""
    known = np.isfinite(scores)
    ranks, count = rank_rows(scores, known), known.sum(axis=1, keepdims=True)
    return np.where(known, np.ceil(ranks * QUANTILES / np.maximum(count, 1)) - 1, np.nan)


def measure_quantiles(scores: FloatArray, returns: FloatArray, horizon: int) -> QuantileReturns:
    """Mean returns of the quantiles [S, N]; sessions count alike, however many names they have."""
    known = np.isfinite(scores) & np.isfinite(returns)
    groups = assign_quantiles(np.where(known, scores, np.nan))
    relative = returns - _row_mean(returns, known)[:, None]
    by_quantile = [_row_mean(relative, groups == quantile) for quantile in range(QUANTILES)]
    means = tuple(estimate_mean(one, horizon - 1).mean for one in by_quantile)
    return QuantileReturns(horizon, means, estimate_mean(by_quantile[-1] - by_quantile[0], horizon - 1))


def measure_turnover(scores: FloatArray) -> float:
    """The mean part of the outer quantiles' names that were not in them the session before."""
    groups = assign_quantiles(scores)
    parts = [_changed(groups == quantile) for quantile in (0, QUANTILES - 1)]
    return float(np.nanmean(np.concatenate(parts))) if np.isfinite(np.concatenate(parts)).any() else float("nan")


def _changed(inside: np.ndarray) -> FloatArray:
    """[S - 1] of each session's names, those that are new."""
    count = inside[1:].sum(axis=1)
    new = (inside[1:] & ~inside[:-1]).sum(axis=1)
    return np.divide(new, count, out=np.full(len(count), np.nan), where=count > 0)


def _row_mean(values: FloatArray, chosen: np.ndarray) -> FloatArray:
    count = chosen.sum(axis=1)
    total = np.where(chosen, values, 0.0).sum(axis=1)
    return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
