"""Performance: value over time, return, drawdown, and what trading has cost, from account snapshots."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from internal.performance import gross_exposure, maximum_drawdown, net_exposure
from internal.trading.rows import Snapshot


@dataclass(frozen=True, slots=True)
class PerformancePoint:
    """The account at a moment; dollars, exposures as fractions of net asset value, costs so far."""

    timestamp: datetime
    net_asset_value: float
    cash: float
    gross_exposure: float
    net_exposure: float
    slippage: float
    fees: float
    borrow: float


@dataclass(frozen=True, slots=True)
class RealizedCost:
    """Dollars paid so far; positive is a cost.

    Slippage is the implementation shortfall of what was filled: fill price against the close that the decision was
    taken at, so it holds the move from that close to the fill as well as the market's own impact.
    """

    slippage: float = 0.0
    fees: float = 0.0
    borrow: float = 0.0


@dataclass(frozen=True, slots=True)
class PerformanceReport:
    """`total_return` is last over first net asset value minus 1; `maximum_drawdown` a positive fraction of the peak."""

    points: tuple[PerformancePoint, ...]
    total_return: float
    maximum_drawdown: float
    realized_cost: RealizedCost


def report_performance(snapshots: Iterable[Snapshot]) -> PerformanceReport:
    """The report of account snapshots in any order; without one, nothing was gained and nothing lost."""
    points = [_point(one) for one in sorted(snapshots, key=lambda one: one.timestamp)]
    if not points:
        return PerformanceReport((), 0.0, 0.0, RealizedCost())
    last, values = points[-1], np.array([point.net_asset_value for point in points])
    return PerformanceReport(
        points=tuple(points),
        total_return=last.net_asset_value / points[0].net_asset_value - 1,
        maximum_drawdown=maximum_drawdown(values),
        realized_cost=RealizedCost(last.slippage, last.fees, last.borrow),
    )


def _point(one: Snapshot) -> PerformancePoint:
    values = one.long_market_value, one.short_market_value, one.net_asset_value
    return PerformancePoint(
        timestamp=one.timestamp,
        net_asset_value=one.net_asset_value,
        cash=one.cash,
        gross_exposure=gross_exposure(*values),
        net_exposure=net_exposure(*values),
        slippage=one.slippage,
        fees=one.fees,
        borrow=one.borrow,
    )
