"""Limits on losses, by hand: today's loss, the fall from the highest value, and deposits that are no gain."""

from datetime import UTC, datetime

import pytest

from internal.books.time_weighted import ExternalFlow
from internal.trading.limit_kinds import LimitKind
from internal.trading.limits import RiskLimits
from internal.trading.loss_limits import find_loss
from internal.trading.performance import report_performance
from internal.trading.snapshots import Snapshot

LIMITS = RiskLimits(daily_loss=0.05, drawdown_reduce=0.15, drawdown_halt=0.25)


def moment(day: int, hour: int = 21) -> datetime:
    """That hour, UTC, of a day of March 2024; 21 is after the close in New York."""
    return datetime(2024, 3, day, hour, tzinfo=UTC)


def snapshot(at: datetime, value: float) -> Snapshot:
    """An account of that value in cash."""
    return Snapshot(at, "p", value, value, 0.0, 0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("values", "limit"),
    [
        ([100.0], None),
        ([100.0, 95.1], None),
        ([100.0, 95.0], LimitKind.DAILY_LOSS),
        ([100.0, 96.0, 92.0], None),  # 4 % a day, 8 % in all
        ([100.0, 96.0, 92.2, 88.5, 85.0], LimitKind.DRAWDOWN_REDUCE),
        ([50.0, 100.0, 96.0, 92.2, 88.5, 85.0, 81.6, 78.4, 75.2], LimitKind.DRAWDOWN_REDUCE),
        ([50.0, 100.0, 96.0, 92.2, 88.5, 85.0, 81.6, 78.4, 75.0], LimitKind.DRAWDOWN_HALT),
        ([100.0, 70.0, 80.0], LimitKind.DRAWDOWN_REDUCE),  # a gain today, and still 20 % below the highest value
        ([100.0, 70.0, 90.0], None),
        ([100.0, 0.0, 0.0], LimitKind.DRAWDOWN_HALT),  # a day after everything was lost
    ],
)
def test_losses_by_hand(values: list[float], limit: LimitKind | None) -> None:
    """One value a day: the strongest limit that the last one exceeds."""
    report = report_performance(snapshot(moment(4 + day), value) for day, value in enumerate(values))
    found = find_loss(report, LIMITS)
    assert (found and found.limit) == limit


def test_the_day_is_the_exchange_s() -> None:
    """A loss at two moments of one day in New York counts from the day before, not from the moment before."""
    points = [snapshot(moment(4), 100.0), snapshot(moment(5, 15), 97.0), snapshot(moment(6, 1), 94.9)]
    found = find_loss(report_performance(points), LIMITS)
    assert found is not None
    assert found.detail == "the fund has lost 5.10% today; the limit is 5.00%"


def test_what_is_paid_out_is_no_loss() -> None:
    """Half is withdrawn between two values, and nothing was lost."""
    flows = [ExternalFlow(moment(5, 15), -50.0)]
    report = report_performance([snapshot(moment(4), 100.0), snapshot(moment(5), 50.0)], flows)
    assert find_loss(report, LIMITS) is None


def test_without_a_value_nothing_is_lost() -> None:
    """A new fund."""
    assert find_loss(report_performance([]), LIMITS) is None
