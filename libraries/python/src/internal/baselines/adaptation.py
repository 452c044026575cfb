"""Adaptive conformal calibration: an interval that was too narrow lately grows, one that was too wide shrinks.

The method tracks each quantile by its misses (adaptive conformal inference, Gibbs and Candes 2021, in the form of
conformal PID's quantile tracking, Angelopoulos et al. 2023), on the logarithm of the interval's width, with a decay, so
that one year of rows suffices. Nothing is fitted.
"""

import ctypes
from collections.abc import Callable
from typing import Final

import numpy as np
import polars as pl

from internal.bar_kernels.library import Intervals, load_volatility
from internal.baselines.forecast import EVERY_ROW, Rows
from internal.baselines.ticker_groups import THIRDS, UNKNOWN, TickerGroups, trust
from internal.features.segment_means import segment_lengths
from internal.forecasting.quantiles import QUANTILES, STEPS

LOWER, MEDIAN, UPPER = 0, 1, 2
RATE: Final = 0.05
DECAY: Final = 0.99
FEWEST: Final = 5


def ignore_read() -> None:
    """Do nothing when a session was read."""


def adaptive_factors(  # noqa: PLR0913  (three of them are named and have defaults)
    groups: TickerGroups,
    quantiles: np.ndarray,
    truth: np.ndarray,
    rows: Rows = EVERY_ROW,
    *,
    sector_rate: float = 0.0,
    divisors: np.ndarray | None = None,
    on_read: Callable[[], None] = ignore_read,
) -> np.ndarray:
    """The factor for each half of each interval, as known at the row, f64 [row, ..., step, half].

    Args:
        groups: The session, the third and the sector of each row of the panel.
        quantiles: f64 [row, ..., step, 3], forecasts at every row; NaN where there is none. Without the axis of rows:
            the same at each of them.
        truth: f64 [row, ..., step], the realized values; NaN where unknown. **Guard:** the outcome of a forecast of
            `step` sessions is used from the session on in which it is known, `step` after the row, never before.
        rows: The rows to return.
        sector_rate: The rate of the sectors; 0 leaves them alone.
        divisors: What the truth of each row is divided by, f64 [row].
        on_read: Called when the truth of a session, and of all before it, is read for the last time.
    """
    order = groups.order
    days, step, sectors = len(order.bounds) - 1, np.arange(int(truth.shape[-1])), groups.sectors if sector_rate else 1
    cell = groups.third * np.int32(sectors) + (groups.sector if sector_rate else 0)
    rate = np.repeat([RATE, sector_rate], [THIRDS, sectors]).reshape(-1, *[1] * truth.ndim)
    shape = (*truth.shape[1:], 2)
    logs, news = np.zeros((len(rate), *shape)), np.zeros((days + len(step) + 1, len(rate), *shape))
    history = np.ones((days, THIRDS * sectors, *shape))
    for today, at in enumerate(order.each()):
        logs = DECAY * logs + rate * news[today]
        history[today] = np.exp(logs[:THIRDS, None] + logs[THIRDS:]).reshape(history.shape[1:])
        cells = cell[at]
        if quantiles.ndim > truth.ndim:
            ends, interval = _interval(quantiles[at], history[today, cells]), np.arange(len(cells), dtype=np.int32)
        else:
            ends, interval = _interval(quantiles, history[today]), cells
        divisor = None if divisors is None else divisors[at]
        counts = _count(ends, interval, truth[at], divisor, cells, groups=THIRDS * sectors)
        misses = _misses(*(count.reshape(THIRDS, sectors, *truth.shape[1:]) for count in counts))
        news[today + 1 + step, ..., step, :] = np.moveaxis(misses, -2, 0)  # known so many sessions later
        on_read()
    return np.asarray(history[order.day[rows], cell[rows]])


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
    close = np.ascontiguousarray(frame.get_column("close").log().to_numpy())
    traded, lengths = np.ascontiguousarray(frame.get_column("traded").to_numpy()), segment_lengths(frame)
    ahead = np.empty((len(close), len(STEPS)))
    arrays = (array.ctypes.data for array in (close, traded, lengths))
    load_volatility().returns_ahead(*arrays, len(lengths), len(STEPS), ahead.ctypes.data)
    return ahead


def _misses(count: np.ndarray, hit: np.ndarray) -> np.ndarray:
    """The excess share of outcomes of one date outside their interval, f64 [third and then sector, ..., step, half].

    A third's is beyond 20 %; a sector's is beyond that of all tickers, as far as its tickers are many. Each half gets
    half of it. Which half is missed depends on where the market went, and neighbouring forecasts share most of that:
    tracked on its own, each half would narrow after a fall while the other widens. Zero where there are too few
    outcomes.

    Args:
        count: How many outcomes can be judged, f64 [third, sector, ..., step].
        hit: How many of these are inside.
    """
    count, hit = (np.concatenate([each.sum(axis=1), each.sum(axis=0)]) for each in (count, hit))
    missed = (count - hit) / 2 / np.maximum(count, 1)
    excess = np.where(count >= FEWEST, missed - QUANTILES[LOWER], 0.0)
    whole, hits = count[:THIRDS].sum(axis=0), hit[:THIRDS].sum(axis=0)
    apart = missed[THIRDS:] - (whole - hits) / 2 / np.maximum(whole, 1)
    excess[THIRDS:] = np.where(whole >= FEWEST, apart * trust(count[THIRDS:]), 0.0)
    excess[THIRDS + UNKNOWN] = 0.0
    return np.repeat(excess[..., None], 2, axis=-1)


def _count(  # noqa: PLR0913  (two of them are named)
    ends: tuple[np.ndarray, np.ndarray],
    interval: np.ndarray,
    truth: np.ndarray,
    divisor: np.ndarray | None,
    group: np.ndarray,
    *,
    groups: int,
) -> tuple[np.ndarray, np.ndarray]:
    """How many outcomes of each group can be judged, and how many are inside, f64 [group, ..., step]; in C.

    An outcome that is NaN or infinite, or whose forecast is, cannot be judged.

    Args:
        ends: The ends of intervals, f64 [interval, ..., step].
        interval: The number of each row's, i32 [row].
        truth: The outcomes, f64 [row, ..., step].
        divisor: What the truth of each row is divided by, f64 [row].
        group: The number of each row's group, i32 [row].
        groups: How many groups there are.
    """
    low, high, truth = (np.ascontiguousarray(values, np.float64) for values in (*ends, truth))
    interval, group = (np.ascontiguousarray(numbers, np.int32) for numbers in (interval, group))
    divisor = None if divisor is None else np.ascontiguousarray(divisor, np.float64)
    _require_inside(interval, len(low), len(truth))
    _require_inside(group, groups, len(truth))
    values = int(np.prod(truth.shape[1:]))
    if not low.shape == high.shape == (len(low), *truth.shape[1:]) or (
        divisor is not None and divisor.shape != group.shape
    ):
        raise ValueError(f"outcomes {truth.shape} have other intervals or divisors")
    count, hit = np.zeros((2, groups, *truth.shape[1:]))
    load_volatility().count_inside(
        ctypes.byref(Intervals(low.ctypes.data, high.ctypes.data, values)),
        interval.ctypes.data,
        truth.ctypes.data,
        None if divisor is None else divisor.ctypes.data,
        group.ctypes.data,
        len(truth),
        count.ctypes.data,
        hit.ctypes.data,
    )
    return count, hit


def _require_inside(numbers: np.ndarray, count: int, rows: int) -> None:
    """Refuse numbers that C would look up elsewhere. Raises ValueError."""
    if numbers.shape != (rows,) or (rows and not 0 <= numbers.min() <= numbers.max() < count):
        raise ValueError(f"each of {rows} rows must have a number below {count}")
