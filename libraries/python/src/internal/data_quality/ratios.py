"""The ratios of splits, and which of them a jump of the price is nearest to. Pure."""

import numpy as np

from internal.data_quality.session_bars import Numbers

FORWARD_SPLITS = (1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 15.0, 20.0, 25.0, 30.0, 50.0)  # shares for one
SPLIT_RATIOS = (*FORWARD_SPLITS, *(1 / shares for shares in FORWARD_SPLITS))
POWERS_OF_TEN = tuple(10.0**power for power in (-4, -3, -2, -1, 1, 2, 3, 4))  # cents for dollars, a slipped point


def distance_to_ratio(log_ratio: Numbers, ratios: tuple[float, ...]) -> Numbers:
    """How far each logarithm is from that of the nearest ratio."""
    return np.abs(log_ratio[:, None] - np.log(ratios)).min(axis=1)
