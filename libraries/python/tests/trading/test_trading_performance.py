"""The performance report of account snapshots: answers worked out by hand."""

from datetime import UTC, datetime

import pytest

from internal.books.time_weighted import ExternalFlow
from internal.trading.performance import RealizedCost, report_performance
from internal.trading.snapshots import Snapshot


def make_snapshot(day: int, value: float) -> Snapshot:
    """The account on a day of March: 0.6 of its value long, 0.4 short, and costs that grow."""
    moment = datetime(2024, 3, day, 20, tzinfo=UTC)
    return Snapshot(moment, "p", value, value * 0.8, value * 0.6, value * -0.4, day * 1.0, day * 2.0, day * 3.0)


def test_report_by_hand() -> None:
    """100, 120, 90, 108: a return of 8 % and a fall of 25 % from the peak; the last snapshot's costs."""
    values = {4: 100.0, 5: 120.0, 6: 90.0, 7: 108.0}
    report = report_performance([make_snapshot(day, values[day]) for day in (6, 4, 7, 5)])
    assert report.total_return == pytest.approx(0.08)
    assert report.maximum_drawdown == pytest.approx(0.25)
    assert [point.net_asset_value for point in report.points] == list(values.values())
    assert [point.gross_exposure for point in report.points] == pytest.approx([1.0] * 4)
    assert [point.net_exposure for point in report.points] == pytest.approx([0.2] * 4)
    assert [point.total_return for point in report.points] == pytest.approx([0.0, 0.2, -0.1, 0.08])
    assert report.realized_cost == RealizedCost(7.0, 14.0, 21.0)


def test_drawdown_is_that_of_the_return() -> None:
    """50 come into 100 and leave three days later: no return and no drawdown, though the value fell by a third."""
    flows = [ExternalFlow(datetime(2024, 3, day, 12, tzinfo=UTC), dollars) for day, dollars in ((5, 50.0), (8, -50.0))]
    report = report_performance([make_snapshot(4, 100.0), make_snapshot(5, 150.0), make_snapshot(8, 100.0)], flows)
    assert (report.total_return, report.maximum_drawdown) == (0.0, 0.0)


def test_report_without_snapshots() -> None:
    """Before the first snapshot there is nothing to report, and that is no error."""
    report = report_performance([])
    assert (report.points, report.total_return, report.maximum_drawdown) == ((), 0.0, 0.0)
    assert report.realized_cost == RealizedCost()
