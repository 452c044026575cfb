"""Exposure and drawdown against hand calculations and by invariants."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from internal.performance import drawdowns, gross_exposure, maximum_drawdown, net_exposure


def test_exposure_by_hand() -> None:
    """60 long and 40 short of 200: 0.5 gross and 0.1 net; nothing of nothing is 0."""
    assert gross_exposure(60.0, -40.0, 200.0) == pytest.approx(0.5)
    assert net_exposure(60.0, -40.0, 200.0) == pytest.approx(0.1)
    assert gross_exposure(0.0, 0.0, 0.0) == net_exposure(0.0, 0.0, 0.0) == 0.0


def test_drawdown_by_hand() -> None:
    """100, 120, 90, 130, 117: a quarter below 120, later a tenth below 130."""
    values = np.array([100.0, 120.0, 90.0, 130.0, 117.0])
    assert drawdowns(values).tolist() == pytest.approx([0.0, 0.0, 0.25, 0.0, 0.1])
    assert maximum_drawdown(values) == pytest.approx(0.25)
    assert maximum_drawdown(values[:0]) == 0.0


@given(st.lists(st.floats(0.01, 1e9), min_size=1, max_size=30))
def test_maximum_drawdown_is_the_worst_buy_and_sell(values: list[float]) -> None:
    """It is the largest loss of any purchase and later sale, and no rise changes it when all is doubled."""
    pairs = [1 - later / earlier for place, earlier in enumerate(values) for later in values[place:]]
    assert maximum_drawdown(np.array(values)) == pytest.approx(max(*pairs, 0.0), abs=1e-12)
    assert maximum_drawdown(2 * np.array(values)) == pytest.approx(maximum_drawdown(np.array(values)), abs=1e-12)
