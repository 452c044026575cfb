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

from internal.bar_kernels.library import find_function, load_volatility
from internal.baselines.break_response import BreakResponse
from internal.baselines.ticker_groups import THIRDS, UNKNOWN, TickerGroups, trust
from internal.features.segment_means import segment_lengths
from internal.features.volatility_inputs import VARIANCE_FLOOR

DECAY: Final = 0.95
WINDOW: Final = 120  # sessions; what is older has 0.2 % of the weight
FEWEST: Final = 5


def log_sizes_ahead(frame: pl.DataFrame) -> np.ndarray:
    """The log of the next session's range volatility, f64 [row]; NaN where it is unknown or did not trade.

    Args:
        frame: Whole segments of an observed panel.
    """
    variance = np.ascontiguousarray(frame.get_column("range_variance").to_numpy(), np.float64)
    traded, lengths = np.ascontiguousarray(frame.get_column("traded").to_numpy(), bool), segment_lengths(frame)
    ahead = np.empty_like(variance)
    arrays = (array.ctypes.data for array in (variance, traded, lengths))
    floor = len(lengths), VARIANCE_FLOOR, find_function("log")
    load_volatility().log_sizes_ahead(*arrays, *floor, ahead.ctypes.data)
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
    day = groups.order.day
    mean, count = average_by_day(surprises, day)
    market = np.where(count >= FEWEST, mean, 0.0)
    logs = _shrink(_average_before(market[:, 0]), response)[:, None, None]  # [day, third, sector]
    if not response.groups:
        return np.asarray(np.exp(logs[:, 0, 0])[day])
    for number, (group, size) in enumerate(((groups.third, THIRDS), (groups.sector, groups.sectors))):
        own, members = average_by_day(surprises, day, group, size)
        apart = np.where((members > 0) & (count >= FEWEST), (own - market) * trust(members), 0.0)
        if group is groups.sector:
            apart[:, UNKNOWN] = 0.0
        averages = np.stack([_average_before(one) for one in apart.T], axis=1)
        logs = logs + response.groups * np.expand_dims(averages, 2 - number)
    return np.asarray(np.exp(logs).ravel()[(day * THIRDS + groups.third) * groups.sectors + groups.sector])


def average_by_day(
    values: np.ndarray, day: np.ndarray, group: np.ndarray | None = None, size: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """The mean of the finite values of each day's groups, 0 without one, and how many there are, f64 [day, group].

    Args:
        values: f64 [row].
        day: The number of each row's day, from 0, int [row].
        group: The number of its group, int [row]; None where a day is one.
        size: How many groups there are.

    Raises:
        ValueError: An array is not as described.
    """
    values, numbers = np.ascontiguousarray(values, np.float64), [np.ascontiguousarray(day, np.int32)]
    if group is not None:
        numbers.append(np.ascontiguousarray(group, np.int32))
    if any(each.shape != values.shape or values.ndim != 1 or each.min(initial=0) < 0 for each in numbers) or (
        group is not None and numbers[1].max(initial=0) >= size
    ):
        raise ValueError(f"each of {values.shape} values must have the number of a day and of one of {size} groups")
    total, count = np.zeros((2, int(numbers[0].max(initial=-1)) + 1, size))
    arrays = (values.ctypes.data, numbers[0].ctypes.data, None if group is None else numbers[1].ctypes.data)
    load_volatility().sum_groups(*arrays, size, len(values), total.ctypes.data, count.ctypes.data)
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
