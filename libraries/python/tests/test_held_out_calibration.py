"""Calibration in a sentence: each quantile whose interval excludes its level, and the direction of the misses."""

import pytest

from internal.forecasting.held_out_bands import ShareBelow, describe_calibration

MEDIAN = ShareBelow(0.5, 0.51, 0.45, 0.57)


def test_two_errors_that_cancel() -> None:
    """79.7 % are covered (84.6 less 4.9), and still every quantile is too low."""
    below = (
        ShareBelow(0.1, 0.049, 0.036, 0.063),
        ShareBelow(0.5, 0.375, 0.319, 0.427),
        ShareBelow(0.9, 0.846, 0.812, 0.878),
    )
    assert describe_calibration(below) == (
        "Outcomes were below the 10 % quantile in 4.9 % of cases instead of 10 %, above the median in 62.5 % of cases "
        "instead of 50 % and above the 90 % quantile in 15.4 % of cases instead of 10 %: the forecasts sat too low in "
        "the held-out sessions."
    )


@pytest.mark.parametrize(
    ("low", "high", "direction"),
    [
        (0.2, 0.97, "the forecasts sat too high"),
        (0.05, 0.97, "the intervals were too wide"),
        (0.2, 0.8, "the intervals were too narrow"),
        (0.1, 0.8, "this quantile sat too low"),
        (0.2, 0.9, "this quantile sat too high"),
    ],
)
def test_direction(low: float, high: float, direction: str) -> None:
    """More outcomes below a quantile than its level says: it is too high."""
    below = (ShareBelow(0.1, low, low - 0.01, low + 0.01), MEDIAN, ShareBelow(0.9, high, high - 0.01, high + 0.01))
    assert describe_calibration(below).endswith(f": {direction} in the held-out sessions.")


def test_calibrated() -> None:
    """Nothing is said where every interval holds its level."""
    assert describe_calibration((ShareBelow(0.1, 0.12, 0.09, 0.15), MEDIAN)) == ""
