"""The surprise factor: one factor a session for the scales of all tickers, from how far all of them missed lately.

After a break of volatility every ticker is forecast too small at once. A session's news is the mean over tickers of the
log of realized over forecast size; the factor is the exponential of a share of its exponentially weighted average.
Nothing is fitted: log sizes are what HAR's regressions explain, so that news is zero on average.
"""

from typing import Final

import numpy as np
import polars as pl
from numpy.lib.stride_tricks import sliding_window_view

from internal.features.volatility_inputs import VARIANCE_FLOOR

DECAY: Final = 0.95
STRENGTH: Final = 0.7  # more covers breaks better and costs more after them: decisions/breaks.md
WINDOW: Final = 120  # sessions; what is older has 0.2 % of the weight
FEWEST: Final = 5


def log_sizes_ahead(frame: pl.DataFrame) -> np.ndarray:
    """The log of the next session's range volatility, f64 [row]; NaN where it is unknown or did not trade.

    Args:
        frame: Whole segments of an observed panel with the column `variance`.
    """
    size = pl.when("traded").then(pl.col("variance").clip(VARIANCE_FLOOR).log() / 2)
    return frame.select(size.shift(-1).over("segment").fill_null(float("nan"))).to_series().to_numpy()


def surprise_factors(session: np.ndarray, surprises: np.ndarray) -> np.ndarray:
    """The factor of every row, as known at the row, f64 [row].

    Args:
        session: The session of each row, i64 [row].
        surprises: Log of realized over forecast size of the session after the row, f64 [row]; NaN where unknown.
            **Guard:** it is used from that session on, never at the row itself.
    """
    if not len(session):
        return np.ones(0)
    day = session - session.min()
    known, days = np.isfinite(surprises), int(day.max()) + 1
    count = np.bincount(day[known], minlength=days)
    total = np.bincount(day[known], weights=surprises[known], minlength=days)
    news = np.where(count >= FEWEST, total / np.maximum(count, 1), 0.0)
    weights = (1 - DECAY) * DECAY ** np.arange(WINDOW)[::-1]  # of a row's WINDOW previous sessions, oldest first
    before = sliding_window_view(np.concatenate([np.zeros(WINDOW), news[:-1]]), WINDOW)
    return np.asarray(np.exp(STRENGTH * (before * weights).sum(axis=1))[day])
