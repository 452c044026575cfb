"""Standardised inputs, and outcomes in units of their scales at places of their own, against NumPy on whole arrays."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.baselines.scaled_outcomes import write_outcomes
from internal.baselines.standardisation import Standardisation
from internal.baselines.volatility_fit import Scales

STANDARDISATION = Standardisation(np.array([1.0, -2.0, 0.5]), np.array([0.5, 1e-9, 3.0]))


def test_inputs_in_standard_deviations() -> None:
    """By row and by input; the largest are clipped on both sides, and NaN stays."""
    inputs = np.random.default_rng(1).normal(0, 5, (9, 3))
    inputs[4] = np.nan
    expected = np.clip((inputs - STANDARDISATION.center) / STANDARDISATION.spread, -6, 6)
    for layout in (inputs, np.asfortranarray(inputs), np.repeat(inputs, 2, axis=0)[::2]):
        np.testing.assert_array_equal(STANDARDISATION.apply(layout), expected)
    for some in (slice(0, 1), slice(1, 3), slice(0, 3), slice(2, 2)):
        values = inputs.T[some].copy()
        STANDARDISATION.apply_to(some.start, values)
        np.testing.assert_array_equal(values, expected.T[some])
    assert STANDARDISATION.apply(np.empty((0, 3))).shape == (0, 3)


def test_inputs_that_do_not_fit() -> None:
    """Of another number, or values that are not contiguous."""
    for inputs in (np.ones((4, 2)), np.ones(3)[:, None], np.ones((1, 1, 3))):
        with pytest.raises(ValueError, match="do not fit"):
            STANDARDISATION.apply(inputs)
    for first, values in ((0, np.ones((4, 2))), (2, np.ones((2, 2))), (0, np.ones((3, 4, 2)))):
        with pytest.raises(ValueError, match="do not fit"):
            STANDARDISATION.apply_to(first, values)
    for values in (np.ones((2, 2), np.float32), np.ones((2, 4))[:, ::2]):
        with pytest.raises(ValueError, match=r"f64|copy"):
            STANDARDISATION.apply_to(0, values)


def draw(rows: int = 5) -> tuple[np.ndarray, Scales, np.ndarray, np.ndarray]:
    """Returns ahead of which some are unknown, scales in one array, places, and room for two more rows."""
    random = np.random.default_rng(2)
    both = random.lognormal(-4, 1, (rows, 14))
    ahead = random.normal(0, 0.02, (rows, 7)).cumsum(axis=1)
    ahead[rows // 2 :, 3] = np.nan
    places = random.permutation(rows + 2)[:rows].astype(np.int32)
    return ahead, Scales(both[:, 7:], both[:, :7]), places, np.full((rows + 2, 2, 7), 7.0)


def test_outcomes() -> None:
    """A row's cumulative and daily returns are divided, wherever it belongs; other places stay as they were."""
    ahead, scales, places, outcomes = draw()
    write_outcomes(ahead, scales, places, outcomes)
    daily = np.expm1(np.diff(ahead, axis=1, prepend=0.0))
    np.testing.assert_array_equal(outcomes[places, 0], ahead / scales.cumulative)
    np.testing.assert_allclose(outcomes[places, 1], daily / scales.daily, rtol=1e-12)
    assert (np.delete(outcomes, places, axis=0) == 7.0).all()


@settings(deadline=None)  # the first one may compile the kernels
@given(st.lists(st.integers(0, 30), max_size=6))
def test_outcomes_by_segment(lengths: list[int]) -> None:
    """They are the same in whatever order rows are read: segments of any lengths, and none."""
    ahead, scales, places, expected = draw(sum(lengths))
    outcomes = expected.copy()
    write_outcomes(ahead, scales, places, expected)
    write_outcomes(ahead, scales, places, outcomes, np.array(lengths, np.int64))
    np.testing.assert_array_equal(outcomes, expected)


def test_outcomes_elsewhere_are_refused() -> None:
    """Places outside, scales of other rows, and outcomes of another kind."""
    ahead, scales, places, outcomes = draw()
    for wrong in (places + 3, places - 3, places[:-1]):
        with pytest.raises(ValueError, match="a place is outside"):
            write_outcomes(ahead, scales, wrong, outcomes)
    for lengths in ([2, 2], [6, -1]):
        with pytest.raises(ValueError, match="not those of the rows"):
            write_outcomes(ahead, scales, places, outcomes, np.array(lengths))
    with pytest.raises(ValueError, match="other scales"):
        write_outcomes(ahead, replace(scales, daily=scales.daily[1:]), places, outcomes)
    for other in (outcomes.astype(np.float32), outcomes[:, :1], outcomes[:, ::-1], outcomes[:, :, :6]):
        with pytest.raises(ValueError, match="outcomes must be"):
            write_outcomes(ahead, scales, places, other)
