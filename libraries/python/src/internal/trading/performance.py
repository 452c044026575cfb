"""Performance: value over time, return, drawdown, and what trading has cost, from account snapshots."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from internal.books.flow_times import place_flows
from internal.books.time_weighted import ExternalFlow, Valuation, link_returns
from internal.performance import gross_exposure, maximum_drawdown, net_exposure
from internal.trading.snapshots import Snapshot


@dataclass(frozen=True, slots=True)
class PerformancePoint:
    """The fund at a moment; dollars, exposures as fractions of net asset value, costs so far.

    `total_return` is the time-weighted return since the first point: what was paid in or out is none of it.
    """

    timestamp: datetime
    net_asset_value: float
    cash: float
    gross_exposure: float
    net_exposure: float
    slippage: float
    fees: float
    borrow: float
    total_return: float


@dataclass(frozen=True, slots=True)
class RealizedCost:
    """Dollars paid so far; positive is a cost.

    What slippage is, `internal.trading.slippage` says: it holds the overnight move as well as spread and impact.
    """

    slippage: float = 0.0
    fees: float = 0.0
    borrow: float = 0.0


@dataclass(frozen=True, slots=True)
class PerformanceReport:
    """`total_return` is time-weighted; `maximum_drawdown` is of the same index, a positive fraction."""

    points: tuple[PerformancePoint, ...]
    total_return: float
    maximum_drawdown: float
    realized_cost: RealizedCost


def report_performance(snapshots: Iterable[Snapshot], flows: Sequence[ExternalFlow] = ()) -> PerformanceReport:
    """The report of account snapshots in any order; without one, nothing was gained and nothing lost.

    Args:
        snapshots: The account's values; a later one of the same moment replaces an earlier one.
        flows: What was paid into the account and out of it (deposits, withdrawals, transfers): no return.
    """
    ordered = sorted({one.timestamp: one for one in snapshots}.values(), key=lambda one: one.timestamp)
    if not ordered:
        return PerformanceReport((), 0.0, 0.0, RealizedCost())
    values = [_value(one) for one in ordered]
    index, last = link_returns(values, place_flows(values, flows)), ordered[-1]
    return PerformanceReport(
        points=tuple(_point(one, value - 1) for one, value in zip(ordered, index.tolist(), strict=True)),
        total_return=index.item(-1) - 1,
        maximum_drawdown=maximum_drawdown(index),
        realized_cost=RealizedCost(last.slippage, last.fees, last.borrow),
    )


def _value(one: Snapshot) -> Valuation:
    return Valuation(one.timestamp, one.net_asset_value, one.net_asset_value if one.pool is None else one.pool)


def _point(one: Snapshot, total_return: float) -> PerformancePoint:
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
        total_return=total_return,
    )
