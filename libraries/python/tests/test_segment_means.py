"""Means over the last sessions of a segment, against Polars' rolling mean, and the guard against look-ahead."""

import numpy as np
import polars as pl
import pytest

from internal.features.segment_means import SegmentMeans

LENGTHS = np.array([1, 40, 3, 300, 2])
SEGMENT = np.repeat(np.arange(len(LENGTHS)), LENGTHS)
WINDOWS = ((1, 1), (2, 2), (5, 5), (22, 20), (22, 1), (252, 20), (500, 20))


def draw_values() -> np.ndarray:
    """Two columns of squared returns, f64 [column, row]: the first lacks each segment's first value, the other one."""
    values = np.random.default_rng(3).lognormal(-9, 2, (2, len(SEGMENT)))
    firsts = np.cumsum(LENGTHS) - LENGTHS
    values[0, firsts] = np.nan
    values[1, firsts[3]] = np.nan
    return values


def compute(values: np.ndarray, column: int, window: int, fewest: int) -> np.ndarray:
    """The means of one column, f64 [row]."""
    out = np.empty(len(SEGMENT))
    SegmentMeans.of(values, LENGTHS).mean(column, window, fewest, out)
    return out


@pytest.mark.parametrize(("window", "fewest"), WINDOWS)
@pytest.mark.parametrize("column", [0, 1])
def test_means_are_those_of_polars(column: int, window: int, fewest: int) -> None:
    """The same rows are missing, and the means agree to nine digits."""
    values = draw_values()
    frame = pl.DataFrame({"segment": SEGMENT, "value": values[column]}).with_columns(pl.col("value").fill_nan(None))
    mean = pl.col("value").rolling_mean(window, min_samples=fewest).over("segment")
    expected = frame.select(mean.fill_null(float("nan"))).to_series().to_numpy()
    np.testing.assert_allclose(compute(values, column, window, fewest), expected, rtol=1e-9)


def test_later_rows_and_other_segments_change_no_bit() -> None:
    """Up to the middle of the fourth segment nothing moves, however large the values after it and before it are."""
    values, first = draw_values(), int(LENGTHS[:3].sum())
    seen = slice(first, first + 150)
    poisoned = values.copy()
    poisoned[:, 1:30] *= 1e12
    poisoned[:, seen.stop :] *= 1e12
    for window, fewest in WINDOWS:
        before, after = (compute(given, 0, window, fewest)[seen] for given in (values, poisoned))
        np.testing.assert_array_equal(before, after)


def test_missing_value_inside_a_segment_is_refused() -> None:
    """It would be counted as zero."""
    values = draw_values()
    values[1, 20] = np.nan
    with pytest.raises(ValueError, match="not the first of its segment"):
        SegmentMeans.of(values, LENGTHS)
