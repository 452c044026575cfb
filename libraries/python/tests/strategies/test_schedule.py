"""Schedules: when the next decision is due, by hand from printed calendars, and what an off day's decision says."""

from datetime import date

import pytest
from loaded_strategies import STRATEGIES

from internal.strategies.loading import load_strategy
from internal.strategies.schedule import MONTHLY, WEEKLY, Schedule, every
from internal.trading.decision import decide
from internal.trading.limits import RiskLimits
from libraries.python.tests.strategies.small_situations import make_situation


@pytest.mark.parametrize(
    ("schedule", "day", "due"),
    [
        (MONTHLY, date(2024, 3, 15), date(2024, 4, 1)),
        (MONTHLY, date(2024, 3, 1), date(2024, 4, 1)),  # the day itself was due
        (MONTHLY, date(2023, 12, 29), date(2024, 1, 2)),
        (WEEKLY, date(2024, 3, 28), date(2024, 4, 1)),  # a Thursday before Good Friday
        (WEEKLY, date(2024, 5, 24), date(2024, 5, 28)),  # Memorial Day is a Monday
        (every(1), date(2024, 3, 15), date(2024, 3, 18)),
        (MONTHLY, date(2035, 12, 14), None),
    ],
)
def test_next_due(schedule: Schedule, day: date, due: date | None) -> None:
    """The first due session after the day; none when the calendar ends before."""
    assert schedule.next_due(day) == due


def test_every_third_session() -> None:
    """Three sessions apart: Good Friday 2024-03-29 counts as none."""
    first = every(3).next_due(date(2024, 3, 21))
    assert first is not None
    assert every(3).next_due(first) == {22: date(2024, 3, 27), 25: date(2024, 3, 28), 26: date(2024, 4, 1)}[first.day]


def test_an_off_day_says_when_the_next_decision_is_due() -> None:
    """2024-03-15 is no first session of a month: in the reason of a position, in a note where none is held."""
    strategy = load_strategy(f"{STRATEGIES / 'momentum.py'}:Momentum", {"schedule": "monthly"})
    prices = {"A": 10.0, "B": 20.0}
    held = decide(make_situation(prices, held={"A": 5.0}), strategy, RiskLimits())
    assert [row.reason for row in held.rows] == ["kept: the schedule decides next on 2024-04-01"]
    assert held.notes == ()
    assert decide(make_situation(prices), strategy, RiskLimits()).notes == (
        "nothing is held: the schedule decides next on 2024-04-01",
    )
