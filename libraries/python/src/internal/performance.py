"""Exposure and drawdown: the two measures of a portfolio that every part of the fund reports."""

import numpy as np
from numpy.typing import NDArray


def gross_exposure(long_market_value: float, short_market_value: float, net_asset_value: float) -> float:
    """Long plus short market value over net asset value; 0 without one.

    Args:
        long_market_value: Dollars, 0 or more.
        short_market_value: Dollars, 0 or less, as the broker reports it.
        net_asset_value: Dollars.
    """
    return (long_market_value - short_market_value) / net_asset_value if net_asset_value else 0.0


def net_exposure(long_market_value: float, short_market_value: float, net_asset_value: float) -> float:
    """Long minus short market value over net asset value; 0 without one. Arguments as in `gross_exposure`."""
    return (long_market_value + short_market_value) / net_asset_value if net_asset_value else 0.0


def drawdowns(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each value, f64 [time], is below the highest one so far, as a positive fraction of that one."""
    return 1 - values / np.maximum.accumulate(values)


def maximum_drawdown(values: NDArray[np.float64]) -> float:
    """The largest fall from an earlier peak, as a positive fraction of that peak; 0 without a value."""
    return float(drawdowns(values).max(initial=0.0))
