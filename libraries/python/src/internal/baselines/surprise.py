"""The surprise factor: one factor a session for the scales of all tickers, from how far all of them missed lately.

After a break of volatility every ticker is forecast too small at once. A session's news is the mean over tickers of the
log of realized over forecast size; the factor is the exponential of a share of its exponentially weighted average, and
of that of the ticker's third and sector beyond the market's. Nothing is fitted: log sizes are what HAR's regressions
explain, so that news is zero on average.
"""

from typing import Final

import numpy as np
import polars as pl
from numpy.lib.stride_tricks import sliding_window_view

from internal.baselines.break_response import BreakResponse
from internal.baselines.ticker_groups import THIRDS, UNKNOWN, TickerGroups, trust
from internal.features.volatility_inputs import VARIANCE_FLOOR

DECAY: Final = 0.95
WINDOW: Final = 120  # sessions; what is older has 0.2 % of the weight
FEWEST: Final = 5


def log_sizes_ahead(frame: pl.DataFrame) -> np.ndarray:
    """The log of the next session's range volatility, f64 [row]; NaN where it is unknown or did not trade.

    Args:
        frame: Whole segments of an observed panel with the column `variance`.
    """
    logs = frame.get_column("variance").clip(VARIANCE_FLOOR).log().to_numpy()
    traded, segment = frame.get_column("traded").to_numpy(), frame.get_column("segment").to_numpy()
    ahead = np.full(len(logs), np.nan)
    ahead[:-1] = np.where(traded[1:] & (segment[1:] == segment[:-1]), logs[1:] / 2, np.nan)
    return ahead


def surprise_factors(groups: TickerGroups, surprises: np.ndarray, response: BreakResponse) -> np.ndarray:
    """The factor of every row, as known at the row, f64 [row].

    Args:
        groups: The session, the third and the sector of each row.
        surprises: Log of realized over forecast size of the session after the row, f64 [row]; NaN where unknown.
            **Guard:** it is used from that session on, never at the row itself.
        response: How far the factor follows them.
    """
    if not len(surprises):
        return np.ones(0)
    day, known = groups.session - groups.session.min(), np.flatnonzero(np.isfinite(surprises))
    days, values = int(day.max()) + 1, surprises[known]

    def average(group: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
        return _means(day[known].astype(np.int64) * size + group[known], (days, size), values)

    mean, count = average(np.zeros_like(day), 1)
    market = np.where(count >= FEWEST, mean, 0.0)
    logs = _shrink(_average_before(market[:, 0]), response)[:, None, None]  # [day, third, sector]
    if not response.groups:
        return np.asarray(np.exp(logs[:, 0, 0])[day])
    for number, (group, size) in enumerate(((groups.third, THIRDS), (groups.sector, groups.sectors))):
        own, members = average(group, size)
        apart = np.where((members > 0) & (count >= FEWEST), (own - market) * trust(members), 0.0)
        if group is groups.sector:
            apart[:, UNKNOWN] = 0.0
        averages = np.stack([_average_before(one) for one in apart.T], axis=1)
        logs = logs + response.groups * np.expand_dims(averages, 2 - number)
    return np.asarray(np.exp(logs).ravel()[(day * THIRDS + groups.third) * groups.sectors + groups.sector])


def _means(cell: np.ndarray, shape: tuple[int, int], values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean of each cell's values, 0 without one, and how many it has, [day, group], from the cell of each value."""
    count, total = (np.bincount(cell, weights, shape[0] * shape[1]).reshape(shape) for weights in (None, values))
    return total / np.maximum(count, 1), count


def _average_before(news: np.ndarray) -> np.ndarray:
    """The weighted average of the WINDOW days before each, f64 [day]."""
    weights = (1 - DECAY) * DECAY ** np.arange(WINDOW)[::-1]  # oldest first
    before = sliding_window_view(np.concatenate([np.zeros(WINDOW), news[:-1]]), WINDOW)
    return np.asarray((before * weights).sum(axis=1))


def _shrink(average: np.ndarray, response: BreakResponse) -> np.ndarray:
    """The market's average surprises by their share of signal, so that noise widens nothing, and a break does."""
    square = np.square(average)
    signal = square / (square + response.noise**2) if response.noise else 1.0
    return np.asarray(response.market * average * signal)
