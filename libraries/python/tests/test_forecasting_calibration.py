"""Calibration: it covers what it says, keeps the order, and restores what was stored."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from internal.forecasting.calibration import Calibration


def _sample(seed: int, count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Skewed truths whose spread is known up to a factor, and intervals that are too narrow and off centre."""
    random = np.random.default_rng(seed)
    spread = random.uniform(0.5, 2.0, (count, 1)) * np.ones((1, 7))
    truth = spread * (random.gamma(4.0, 0.5, (count, 7)) - 2.0)
    return np.stack([-0.4 * spread + 0.3, np.full_like(spread, 0.3), 0.7 * spread + 0.3], axis=-1), truth


@given(st.integers(0, 100))
def test_covers_on_other_data(seed: int) -> None:
    """Fitted on one half, a tenth of the other half's truths are beyond each end, and half below the median."""
    quantiles, truth = _sample(seed)
    calibrated = Calibration.fit(quantiles[:2000], truth[:2000]).apply(quantiles[2000:])
    below = (truth[2000:, :, None] <= calibrated).mean(axis=(0, 1))
    assert below == pytest.approx([0.1, 0.5, 0.9], abs=0.03)  # five standard errors
    assert (np.diff(calibrated, axis=2) >= 0).all()


def test_none_changes_nothing() -> None:
    """The identity is one."""
    quantiles, _ = _sample(1)
    assert Calibration.none(7).apply(quantiles) == pytest.approx(quantiles, abs=1e-12)


def test_restored() -> None:
    """The stored values calibrate alike."""
    quantiles, truth = _sample(2)
    fitted = Calibration.fit(quantiles, truth)
    assert Calibration.restore(fitted.values, 7).apply(quantiles).tobytes() == fitted.apply(quantiles).tobytes()
