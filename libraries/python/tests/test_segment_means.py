"""Means over the last sessions of a segment, against Polars' rolling mean, and the guard against look-ahead."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.features.segment_means import SegmentMeans

LENGTHS = np.array([1, 40, 3, 300, 2])
WINDOWS = ((1, 1), (2, 2), (5, 5), (22, 20), (22, 1), (252, 20), (500, 20))


def draw_values(lengths: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Squared returns, f64 [row]; some segments, bool [segment], lack their first value."""
    values = np.random.default_rng(3).lognormal(-9, 2, int(lengths.sum()))
    values[(np.cumsum(lengths) - lengths)[missing]] = np.nan
    return values


def compute(values: np.ndarray, lengths: np.ndarray, window: int, fewest: int) -> np.ndarray:
    """The means, f64 [row], between two rows that nothing may overwrite."""
    out = np.full(len(values) + 2, 7.0)
    SegmentMeans(values, lengths).mean(window, fewest, out[1:-1])
    assert out[0] == out[-1] == 7.0
    return out[1:-1]


@settings(max_examples=40, deadline=None)  # the first compiles the C file
@given(st.lists(st.tuples(st.integers(1, 60), st.booleans()), max_size=8), st.integers(1, 70), st.data())
def test_means_are_those_of_polars(segments: list[tuple[int, bool]], window: int, data: st.DataObject) -> None:
    """The same rows are missing, and the means agree to nine digits."""
    lengths, fewest = np.array([length for length, _ in segments], np.int64), data.draw(st.integers(1, window))
    values = draw_values(lengths, np.array([missing for _, missing in segments], bool))
    segment = np.repeat(np.arange(len(lengths)), lengths)
    frame = pl.DataFrame({"segment": segment, "value": values}).with_columns(pl.col("value").fill_nan(None))
    mean = pl.col("value").rolling_mean(window, min_samples=fewest).over("segment")
    expected = frame.select(mean.fill_null(float("nan"))).to_series().to_numpy()
    np.testing.assert_allclose(compute(values, lengths, window, fewest), expected, rtol=1e-9)


@settings(deadline=None)  # the first one may compile the kernels
@given(st.lists(st.floats(-3, 3), min_size=1, max_size=30), st.integers(1, 9), st.floats(-1, 2), st.booleans())
def test_smallest_and_squared_means(values: list[float], window: int, smallest: float, is_squared: object) -> None:
    """As NumPy squares and limits the means, to the bit; those that are not known stay so."""
    lengths, out = np.array([len(values)]), np.empty((2, len(values)))
    means = SegmentMeans(np.array(values), lengths)
    means.mean(window, window, out[0])
    means.mean(window, window, out[1], smallest=smallest, is_squared=bool(is_squared))
    np.testing.assert_array_equal(out[1], np.maximum(np.square(out[0]) if is_squared else out[0], smallest))


def test_later_rows_and_other_segments_change_no_bit() -> None:
    """Up to the middle of the fourth segment nothing moves, however large the values after it and before it are."""
    values, first = draw_values(LENGTHS, np.ones(len(LENGTHS), bool)), int(LENGTHS[:3].sum())
    seen = slice(first, first + 150)
    poisoned = values.copy()
    poisoned[1:30] *= 1e12
    poisoned[seen.stop :] *= 1e12
    for window, fewest in WINDOWS:
        before, after = (compute(given, LENGTHS, window, fewest)[seen] for given in (values, poisoned))
        np.testing.assert_array_equal(before, after)


def test_missing_value_inside_a_segment_is_refused() -> None:
    """It would be counted as zero."""
    values = draw_values(LENGTHS, np.zeros(len(LENGTHS), bool))
    values[20] = np.nan
    with pytest.raises(ValueError, match="not the first of its segment"):
        SegmentMeans(values, LENGTHS)


@pytest.mark.parametrize(
    ("values", "lengths"),
    [
        (np.ones(3, np.float32), [3]),
        (np.ones((3, 1)), [3]),
        (np.ones(6)[::2], [3]),
        (np.ones(3), [4]),
        (np.ones(3), [2]),
        (np.ones(3), [5, -2]),
        (np.ones(3), []),
    ],
)
def test_what_c_would_read_elsewhere_is_refused(values: np.ndarray, lengths: list[int]) -> None:
    """Of another type or stride, or with segments that do not add up to the column."""
    with pytest.raises(ValueError, match=r"an array must be f64|the segments are not"):
        SegmentMeans(values, np.array(lengths, np.int64))


@pytest.mark.parametrize(("window", "fewest", "rows"), [(0, 0, 3), (2, 3, 3), (2, 1, 2), (2, 1, 4)])
def test_no_such_window(window: int, fewest: int, rows: int) -> None:
    """Windows without a row, that can never hold the fewest, or of other rows."""
    with pytest.raises(ValueError, match="no such window"):
        SegmentMeans(np.ones(3), np.array([3])).mean(window, fewest, np.empty(rows))
