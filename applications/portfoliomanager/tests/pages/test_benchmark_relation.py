"""Beta and correlation: those of numpy, intervals that hold them, and none of a young or constant record."""

import numpy as np
import pytest

from portfoliomanager.pages.benchmark_relation import relate_to_benchmark

DRAWS = np.random.default_rng(7)
MARKET = DRAWS.normal(0.0005, 0.01, 250)
OWN = 0.4 * MARKET + DRAWS.normal(0, 0.005, 250)


def test_figures_are_those_of_numpy() -> None:
    """Slope of the least-squares line, and Pearson's correlation; the interval is near that of independent returns."""
    found = relate_to_benchmark(OWN, MARKET)
    assert found is not None
    assert found.beta.value == pytest.approx(np.polyfit(MARKET, OWN, 1)[0])
    assert found.correlation.value == pytest.approx(np.corrcoef(OWN, MARKET)[0, 1])
    (slope, _), covariance = np.polyfit(MARKET, OWN, 1, cov=True)
    half = 1.96 * covariance[0, 0] ** 0.5
    assert (found.beta.low, found.beta.high) == pytest.approx((slope - half, slope + half), abs=0.02)
    assert -1 <= found.correlation.low < found.correlation.value < found.correlation.high <= 1


def test_none() -> None:
    """Below 40 returns, or where nothing moved."""
    assert relate_to_benchmark(OWN[:39], MARKET[:39]) is None
    assert relate_to_benchmark(np.zeros(50), MARKET[:50]) is None
    assert relate_to_benchmark(OWN[:50], np.zeros(50)) is None
