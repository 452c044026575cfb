"""The interval of a proportion: published figures, and its invariants."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from internal.proportions import wilson_interval


def test_published_figures() -> None:
    """Newcombe 1998, table I (Statistics in Medicine 17), method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
    for inside, count, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (1, 29, 0.0061, 0.1718)):
        assert wilson_interval(inside / count, count) == pytest.approx((low, high), abs=5e-5)
    assert wilson_interval(0.0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


@given(st.floats(0, 1), st.floats(1, 1e6))
def test_invariants(share: float, count: float) -> None:
    """It holds the share, stays within 0 and 1, and mirrors for the failures."""
    low, high = wilson_interval(share, count)
    assert 0 <= low <= share + 1e-9
    assert share - 1e-9 <= high <= 1
    assert wilson_interval(1 - share, count) == pytest.approx((1 - high, 1 - low), abs=1e-9)
