"""Outcomes in units of their scales, written to places of their own, in C."""

import numpy as np

from internal.bar_kernels.library import ByStep, load_volatility
from internal.baselines.forecast import to_daily
from internal.baselines.volatility_fit import Scales

KINDS = 2


def write_outcomes(
    ahead: np.ndarray, scales: Scales, places: np.ndarray, outcomes: np.ndarray, lengths: np.ndarray | None = None
) -> None:
    """Divide cumulative log returns, and the daily ones that they hold, by their scales.

    Args:
        ahead: Cumulative log returns of some rows, f64 [row, step].
        scales: Theirs.
        places: Where each row is among the outcomes, i32 [row].
        outcomes: Written to at these places, f64 [place, (cumulative, daily), step].
        lengths: Rows of each segment, i64 [segment], where those of a session are neighbours in `outcomes`; None where
            neighbours are.

    Raises:
        ValueError: An array is not as described, or a place is outside.
    """
    rows, steps = ahead.shape
    both = (ahead, to_daily(ahead)), (scales.cumulative, scales.daily)
    read = [np.asarray(one, np.float64) for one in (*both[0], *both[1])]
    read = [one if one.strides[-1:] == (one.itemsize,) else np.ascontiguousarray(one) for one in read]
    if any(one.shape != ahead.shape or one.strides[0] % one.itemsize for one in read):
        raise ValueError(f"returns {ahead.shape} have other scales: {scales.cumulative.shape}, {scales.daily.shape}")
    if outcomes.dtype != np.float64 or outcomes.shape[1:] != (KINDS, steps) or not outcomes.flags.c_contiguous:
        raise ValueError(f"outcomes must be f64 [place, {KINDS}, {steps}], contiguous, not {outcomes.shape}")
    places = np.ascontiguousarray(places, np.int32)
    if places.shape != (rows,) or (rows and not 0 <= places.min() <= places.max() < len(outcomes)):
        raise ValueError("a place is outside the outcomes")
    lengths = np.ascontiguousarray([rows] if lengths is None else lengths, np.int64)
    if lengths.min(initial=0) < 0 or lengths.sum() != rows:
        raise ValueError("the segments are not those of the rows")
    returns, sizes = ((ByStep * KINDS)(*map(_describe, pair)) for pair in (read[:KINDS], read[KINDS:]))
    addresses = places.ctypes.data, lengths.ctypes.data, len(lengths), outcomes.ctypes.data
    load_volatility().write_outcomes(returns, sizes, steps, *addresses)


def _describe(values: np.ndarray) -> ByStep:
    return ByStep(values.ctypes.data, values.strides[0] // values.itemsize)
