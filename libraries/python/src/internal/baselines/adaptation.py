"""Adaptive conformal calibration: an interval that was too narrow lately grows, one that was too wide shrinks.

The method tracks each quantile by its misses (adaptive conformal inference, Gibbs and Candes 2021, in the form of
conformal PID's quantile tracking, Angelopoulos et al. 2023), on the logarithm of the interval's width, with a decay, so
that one year of rows suffices. Nothing is fitted.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import polars as pl

from internal.baselines.forecast import EVERY_ROW, Rows
from internal.forecasting.quantiles import QUANTILES, STEPS

LOWER, MEDIAN, UPPER = 0, 1, 2
RATE: Final = 0.05
DECAY: Final = 0.99
GROUPS: Final = 3  # thirds of a date's tickers by trailing volatility: calm ones are missed at other times
FEWEST: Final = 5


def ignore_read() -> None:
    """Do nothing when a session was read."""


def adaptive_factors(
    frame: pl.DataFrame,
    quantiles: np.ndarray,
    truth: np.ndarray,
    rows: Rows = EVERY_ROW,
    *,
    on_read: Callable[[], None] = ignore_read,
) -> np.ndarray:
    """The factor for each half of each interval, as known at the row, f64 [row, ..., step, half].

    Args:
        frame: The observed panel.
        quantiles: f64 [row, ..., step, 3], forecasts at every row; NaN where there is none. Without the axis of rows:
            the same at each of them.
        truth: f64 [row, ..., step], the realized values; NaN where unknown. **Guard:** the outcome of a forecast of
            `step` sessions is used from the session on in which it is known, `step` after the row, never before.
        rows: The rows to return.
        on_read: Called when the truth of a session, and of all before it, is read for the last time.
    """
    session, group = frame.get_column("session").to_numpy(), _thirds(frame)
    day = session - (session.min() if len(session) else 0)
    by_day = np.argsort(day.astype(np.uint16), kind="stable")  # numbers of two bytes are sorted without comparisons
    bounds = np.searchsorted(day[by_day], np.arange(int(day.max(initial=0)) + 2))
    days, step = len(bounds) - 1, np.arange(int(truth.shape[-1]))
    shape = (GROUPS, *truth.shape[1:], 2)
    logs, history, news = np.zeros(shape), np.ones((days, *shape)), np.zeros((days + len(step) + 1, *shape))
    for today in range(days):
        logs = DECAY * logs + RATE * news[today]
        history[today] = np.exp(logs)
        at = by_day[bounds[today] : bounds[today + 1]]
        if quantiles.ndim > truth.ndim:
            ends = _interval(quantiles[at], history[today, group[at]])
        else:
            ends = tuple(end[group[at]] for end in _interval(quantiles, history[today]))
        misses = _misses(ends, truth[at], group[at])
        news[today + 1 + step, ..., step, :] = np.moveaxis(misses, -2, 0)  # known so many sessions later
        on_read()
    return np.asarray(history[day[rows], group[rows]])


def widen_intervals(quantiles: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Quantiles f64 [..., 3] with each half of the interval, f64 [..., half], multiplied; the median stays."""
    low, high = _interval(quantiles, factors)
    return np.stack([low, quantiles[..., MEDIAN], high], axis=-1)


def _interval(quantiles: np.ndarray, factors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two ends after widening, f64 [...] each."""
    median = quantiles[..., MEDIAN]
    low = median - (median - quantiles[..., LOWER]) * factors[..., 0]
    return low, median + (quantiles[..., UPPER] - median) * factors[..., 1]


def past_returns_ahead(frame: pl.DataFrame) -> np.ndarray:
    """Cumulative log returns from each row, f64 [row, step]; NaN where the session ahead is unknown or did not trade.

    Unlike `future_log_returns` it depends on no session after the one ahead, so that a panel that is cut at a day gives
    the same values up to it.
    """
    close = frame.get_column("close").log().to_numpy()
    traded, segment = frame.get_column("traded").to_numpy(), frame.get_column("segment").to_numpy()
    ahead = np.full((len(close), len(STEPS)), np.nan)
    for place, step in enumerate(STEPS):
        reached = traded[step:] & (segment[step:] == segment[:-step])
        ahead[:-step, place] = np.where(reached, close[step:] - close[:-step], np.nan)
    return ahead


def _thirds(frame: pl.DataFrame) -> np.ndarray:
    """Each row's third of its date by volatility, 0 calm, i64 [row]."""
    share = (pl.col("volatility").rank("ordinal") - 1) / pl.col("volatility").count() * GROUPS
    return frame.select(share.over("date").floor().fill_null(0).cast(pl.Int64)).to_series().to_numpy()


def _misses(ends: tuple[np.ndarray, ...], truth: np.ndarray, group: np.ndarray) -> np.ndarray:
    """The excess share of outcomes of one date outside their interval, by third, f64 [third, ..., step, half].

    Each half gets half of it. Which half is missed depends on where the market went, and neighbouring forecasts share
    most of that: tracked on its own, each half would narrow after a fall while the other widens. Zero where there are
    too few outcomes. An outcome or forecast that is NaN does not count.
    """
    low, high = ends
    usable = np.isfinite(truth + low + high)  # [row, ..., step]
    inside = (truth >= low) & (truth <= high) & usable
    member = (group == np.arange(GROUPS)[:, None]).astype(np.float32)  # [third, row]
    count, hit = (_count(member, rows) for rows in (usable, inside))
    excess = np.where(count >= FEWEST, (count - hit) / 2 / np.maximum(count, 1) - QUANTILES[LOWER], 0.0)
    return np.repeat(excess[..., None], 2, axis=-1)


def _count(member: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """How many rows of each third are true, f64 [third, ...], of bool [row, ...]; exact below 2**24 rows."""
    counted = member @ rows.reshape(len(rows), -1).astype(np.float32)
    return counted.reshape(len(member), *rows.shape[1:]).astype(np.float64)
