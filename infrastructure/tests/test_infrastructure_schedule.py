"""When the scheduled jobs run: expected times are the exchange's published hours, computed by hand."""

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from infrastructure.closing import REQUESTS
from infrastructure.schedule import due_session

ROOT = Path(__file__).parents[2]
AFTER = timedelta(minutes=30)
WITHIN = timedelta(minutes=150)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        # 2024-03-08: standard time, close at 21:00 UTC
        (datetime(2024, 3, 8, 21, 29, tzinfo=UTC), None),
        (datetime(2024, 3, 8, 21, 30, tzinfo=UTC), date(2024, 3, 8)),
        (datetime(2024, 3, 8, 23, 30, tzinfo=UTC), date(2024, 3, 8)),
        (datetime(2024, 3, 8, 23, 31, tzinfo=UTC), None),
        # 2024-03-11: daylight saving began the day before, close at 20:00 UTC
        (datetime(2024, 3, 11, 20, 30, tzinfo=UTC), date(2024, 3, 11)),
        (datetime(2024, 3, 11, 20, 0, tzinfo=UTC), None),
        # 2024-07-03: early close at 13:00 New York, 17:00 UTC; 2024-11-29: 18:00 UTC
        (datetime(2024, 7, 3, 17, 45, tzinfo=UTC), date(2024, 7, 3)),
        (datetime(2024, 7, 3, 20, 45, tzinfo=UTC), None),
        (datetime(2024, 11, 29, 18, 45, tzinfo=UTC), date(2024, 11, 29)),
        # no session at all: Independence Day, the day of mourning of 2025-01-09, a Saturday
        (datetime(2024, 7, 4, 20, 45, tzinfo=UTC), None),
        (datetime(2025, 1, 9, 21, 45, tzinfo=UTC), None),
        (datetime(2024, 3, 9, 21, 45, tzinfo=UTC), None),
    ],
)
def test_due_session(moment: datetime, expected: date | None) -> None:
    """A session is due from half an hour to two and a half hours after its real close."""
    assert due_session(moment, after=AFTER, within=WITHIN) == expected


def test_time_zone_does_not_matter() -> None:
    """The same instant written in New York's offset gives the same session."""
    moment = datetime(2024, 7, 3, 13, 45, tzinfo=timezone(timedelta(hours=-4)))
    assert due_session(moment, after=AFTER, within=WITHIN) == date(2024, 7, 3)


@pytest.mark.parametrize(("workflow", "task"), [("data-sync", "sync"), ("rebalance", "rebalance")])
def test_workflow_meets_every_session_of_a_year(workflow: str, task: str) -> None:
    """Started by its own cron line, a workflow meets each of 2024's 252 sessions twice: one run may be lost."""
    text = (ROOT / ".github" / "workflows" / f"{workflow}.yaml").read_text()
    minute, first, last = map(int, re.findall(r'cron: "(\d+) (\d+)-(\d+) \* \* 1-5"', text)[0])
    after, within = REQUESTS[task].after, REQUESTS[task].within
    days = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(366)]
    weekdays = [day for day in days if day.weekday() < 5]
    starts = [day.replace(hour=hour, minute=minute) for day in weekdays for hour in range(first, last + 1)]

    met = Counter(due_session(start, after=after, within=within) for start in starts)

    del met[None]
    assert len(met) == 252
    assert set(met.values()) == {2}
