"""Adaptive conformal calibration: an interval that was too narrow lately grows, one that was too wide shrinks.

Knows forecasts at every row and what has become of them since. The method tracks each quantile by its misses (adaptive
conformal inference, Gibbs and Candes 2021, in the form of conformal PID's quantile tracking, Angelopoulos et al. 2023),
on the logarithm of the interval's width, with a decay, so that a year of rows is memory enough. Fits nothing.
"""

from typing import Final

import numpy as np
import polars as pl

from internal.baselines.forecast import QUANTILES, STEPS

LOWER, MEDIAN, UPPER = 0, 1, 2
RATE: Final = 0.05
DECAY: Final = 0.99
GROUPS: Final = 3  # thirds of a date's tickers by trailing volatility: calm ones are missed at other times
FEWEST: Final = 5


def adaptive_factors(frame: pl.DataFrame, quantiles: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """What each half of each interval should be multiplied by, as known at the row, f64 [row, step, half].

    Args:
        frame: The observed panel.
        quantiles: f64 [row, step, 3], forecasts at every row; NaN where there is none.
        truth: f64 [row, step], what came of them; NaN where it is unknown. **Guard:** what came of a forecast of `step`
            sessions is used from the session on in which it is known, `step` sessions after the row, never before.
    """
    session = frame.get_column("session").to_numpy()
    day, group, shape = session - session.min(initial=0), _thirds(frame), (GROUPS, len(STEPS), 2)
    logs, history = np.zeros(shape), np.zeros((int(day.max(initial=0)) + 1, *shape))
    row, step = (found.ravel() for found in np.indices(truth.shape))
    usable = np.isfinite(truth).ravel() & np.isfinite(quantiles).all(axis=2).ravel()
    row, step = row[usable], step[usable]
    known = day[row] + step + 1
    order = np.argsort(known, kind="stable")
    row, step = row[order], step[order]
    bounds = np.searchsorted(known[order], np.arange(len(history) + 1))
    for today in range(len(history)):
        rows, steps = row[bounds[today] : bounds[today + 1]], step[bounds[today] : bounds[today + 1]]
        factors = np.exp(history[day[rows], group[rows], steps])  # as they were when the forecast was made
        missed = _missed(widened(quantiles[rows, steps], factors), truth[rows, steps])
        logs = DECAY * logs + RATE * _mean(missed - QUANTILES[LOWER], group[rows] * len(STEPS) + steps).reshape(shape)
        history[today] = logs
    return np.asarray(np.exp(history[day, group]))


def widened(quantiles: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Quantiles f64 [..., 3] with each half of the interval, f64 [..., half], multiplied; the median stays."""
    median = quantiles[..., MEDIAN]
    low = median - (median - quantiles[..., LOWER]) * factors[..., 0]
    return np.stack([low, median, median + (quantiles[..., UPPER] - median) * factors[..., 1]], axis=-1)


def past_returns_ahead(frame: pl.DataFrame) -> np.ndarray:
    """Cumulative log returns from each row, f64 [row, step]; NaN where the session ahead is unknown or did not trade.

    Unlike `future_log_returns` it asks nothing about later sessions than the one ahead, so that a panel that is cut at
    a day holds the same answers up to it.
    """
    close = pl.col("close").log()
    ahead = [pl.when(pl.col("traded").shift(-step)).then(close.shift(-step) - close).over("segment") for step in STEPS]
    named = {str(step): one for step, one in zip(STEPS, ahead, strict=True)}
    return frame.select(**named).fill_null(float("nan")).to_numpy()


def _thirds(frame: pl.DataFrame) -> np.ndarray:
    """Each row's third of its date by volatility, 0 calm, i64 [row]."""
    share = (pl.col("volatility").rank("ordinal") - 1) / pl.col("volatility").count() * GROUPS
    return frame.select(share.over("date").floor().fill_null(0).cast(pl.Int64)).to_series().to_numpy()


def _missed(quantiles: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Half of whether a truth lies outside its interval, the same for both halves, f64 [n, half].

    Which half is missed tells where the market went, and neighbouring forecasts share most of that: followed on its
    own, each half narrows after a fall as the other widens.
    """
    outside = (truth < quantiles[:, LOWER]) | (truth > quantiles[:, UPPER])
    return np.repeat(outside[:, None] / 2, 2, axis=1)


def _mean(values: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Means of values f64 [n, half] by cell, f64 [cell, half]; zero where there are too few."""
    cells = GROUPS * len(STEPS)
    count = np.bincount(cell, minlength=cells)
    sums = np.stack([np.bincount(cell, half, minlength=cells) for half in values.T], axis=1)
    return np.where(count[:, None] >= FEWEST, sums / np.maximum(count, 1)[:, None], 0.0)
