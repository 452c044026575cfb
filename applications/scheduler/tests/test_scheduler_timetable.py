"""When runs are due, by hand: early closes, holidays, Good Friday and daylight saving."""

from datetime import UTC, date, datetime, timedelta

import pytest

from scheduler.runs import RunKind
from scheduler.timetable import Timetable, last_opened_session

TIMETABLE = Timetable(timedelta(minutes=30), timedelta(minutes=5))


def utc(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("session", "opened", "closed"),
    [
        (date(2024, 3, 8), "2024-03-08T14:35", "2024-03-08T21:30"),  # the last session of winter time
        (date(2024, 3, 11), "2024-03-11T13:35", "2024-03-11T20:30"),  # daylight saving began on Sunday
        (date(2024, 11, 1), "2024-11-01T13:35", "2024-11-01T20:30"),
        (date(2024, 11, 4), "2024-11-04T14:35", "2024-11-04T21:30"),  # and ended on Sunday
        (date(2024, 11, 29), "2024-11-29T14:35", "2024-11-29T18:30"),  # the day after Thanksgiving closes at 13:00
        (date(2024, 12, 24), "2024-12-24T14:35", "2024-12-24T18:30"),
    ],
)
def test_due_by_the_calendar(session: date, opened: str, closed: str) -> None:
    """Five minutes after 9:30 and half an hour after the close, in New York, whatever that is in UTC."""
    assert TIMETABLE.due_at(RunKind.RECONCILIATION, session) == utc(opened)
    for kind in (RunKind.COLLECTION, RunKind.DECISION, RunKind.RETRAINING):
        assert TIMETABLE.due_at(kind, session) == utc(closed)


@pytest.mark.parametrize(
    ("moment", "opened", "closed"),
    [
        ("2024-11-28T20:00", date(2024, 11, 27), date(2024, 11, 27)),  # Thanksgiving
        ("2024-11-29T18:29", date(2024, 11, 29), date(2024, 11, 27)),
        ("2024-11-29T18:30", date(2024, 11, 29), date(2024, 11, 29)),
        ("2024-03-29T20:45", date(2024, 3, 28), date(2024, 3, 28)),  # Good Friday
        ("2024-04-01T13:34", date(2024, 3, 28), date(2024, 3, 28)),
        ("2024-04-01T13:35", date(2024, 4, 1), date(2024, 3, 28)),
        ("2018-12-05T22:00", date(2018, 12, 4), date(2018, 12, 4)),  # a day of mourning
        ("2025-01-01T22:00", date(2024, 12, 31), date(2024, 12, 31)),
    ],
)
def test_last_due(moment: str, opened: date, closed: date) -> None:
    """The newest session whose run is due; a day without a session has none of its own."""
    assert TIMETABLE.last_due(RunKind.RECONCILIATION, utc(moment)) == opened
    assert TIMETABLE.last_due(RunKind.COLLECTION, utc(moment)) == closed


def test_open_session_is_the_last_opened() -> None:
    """From the very moment of its open, and before it the session before."""
    assert last_opened_session(utc("2024-03-18T13:29:59")) == date(2024, 3, 15)
    assert last_opened_session(utc("2024-03-18T13:30")) == date(2024, 3, 18)
    assert last_opened_session(utc("2024-03-18T23:00")) == date(2024, 3, 18)
