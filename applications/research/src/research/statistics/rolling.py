"""The Sharpe ratio of the last half year, session by session."""

from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from internal.backtests.daily_returns import Series
from internal.performance import sharpe_ratio

WINDOW: Final = 126


def rolling_sharpe(returns: Series, window: int = WINDOW) -> Series:
    """The annualised Sharpe ratio of each return, f64 [session], and those before it in the window.

    NaN before the window is full, and where its returns do not vary.
    """
    ratios = np.full(len(returns), np.nan)
    if len(returns) >= window:
        ratios[window - 1 :] = sharpe_ratio(sliding_window_view(returns, window))
    return ratios
