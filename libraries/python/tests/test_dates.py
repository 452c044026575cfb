"""The calendar: known days of the exchange, and what must hold on any day."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internal import dates
from internal.errors import InvalidRequestError
from libraries.python.tests.write_special_sessions import list_special_sessions, read_schedule

days = st.dates(date(1991, 1, 1), date(2034, 12, 31))


@pytest.mark.parametrize(
    ("day", "open_"),
    [
        (date(2024, 1, 2), True),
        (date(2024, 1, 1), False),  # New Year
        (date(2024, 1, 6), False),  # a Saturday
        (date(2025, 1, 9), False),  # mourning for President Carter
        (date(2001, 9, 12), False),  # closed after the attacks
        (date(2012, 10, 29), False),  # hurricane Sandy
        (date(2022, 6, 20), False),  # Juneteenth, first observed
        (date(2021, 6, 18), True),  # the year before it was not
        (date(1990, 1, 2), True),
        (date(2030, 7, 4), False),
    ],
)
def test_known_days(day: date, *, open_: bool) -> None:
    """Holidays and closures as the exchange's own notices list them."""
    assert open_ is dates.is_session(day)


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        (date(2024, 1, 2), "14:30", "21:00"),  # New York in winter
        (date(2024, 7, 2), "13:30", "20:00"),  # in summer
        (date(2024, 3, 8), "14:30", "21:00"),  # the Friday before the clocks change
        (date(2024, 3, 11), "13:30", "20:00"),  # the Monday after
        (date(2024, 11, 29), "14:30", "18:00"),  # early close after Thanksgiving
        (date(2024, 7, 3), "13:30", "17:00"),  # early close before Independence Day
    ],
)
def test_opens_and_closes_in_utc(day: date, opens: str, closes: str) -> None:
    """9:30 to 16:00 (or 13:00) New York time, by hand in UTC."""
    assert opens == dates.session_open(day).strftime("%H:%M")
    assert closes == dates.session_close(day).strftime("%H:%M")
    assert dates.session_close(day).tzinfo is UTC
    hours = [datetime.fromisoformat(f"{day}T{clock}Z") for clock in (opens, closes)]
    around = [moment + offset for moment in hours for offset in (-timedelta(milliseconds=1), timedelta(0))]
    assert [dates.is_market_open(moment) for moment in around] == [False, True, True, False]


def test_calendar_is_that_of_exchange_calendars() -> None:
    """Every session of 46 years with its open and close; if not, write_special_sessions.py must be run again."""
    schedule = read_schedule()
    assert schedule.get_column("date").to_list() == dates.sessions(dates.FIRST_DAY, dates.LAST_DAY)
    for column, moment_of in (("open", dates.session_open), ("timestamp", dates.session_close)):
        assert schedule.get_column(column).to_list() == [moment_of(day) for day in schedule.get_column("date")]


def test_written_special_sessions_are_the_packaged_ones(tmp_path: Path) -> None:
    """The script writes the very file that the package has."""
    path = tmp_path / dates.SPECIAL_SESSIONS
    list_special_sessions(read_schedule()).write_csv(path)
    assert path.read_bytes() == files("internal").joinpath(dates.SPECIAL_SESSIONS).read_bytes()


def test_sessions_of_a_week() -> None:
    """Thanksgiving week 2024: Thursday is missing, both ends count."""
    expected = [date(2024, 11, 25), date(2024, 11, 26), date(2024, 11, 27), date(2024, 11, 29)]
    assert expected == dates.sessions(date(2024, 11, 25), date(2024, 11, 29))
    assert dates.sessions(date(2024, 11, 29), date(2024, 11, 25)) == []


def test_answers_of_the_calendar_are_remembered() -> None:
    """A session asks each of these thousands of times; a moment that is cut comes once, and would only fill memory."""
    asked = (dates.is_session, dates.next_session, dates.previous_session, dates.last_closed_session)
    assert all(hasattr(function, "cache_info") for function in asked)
    assert not hasattr(dates.cut_to_milliseconds, "cache_info")


def test_counts_of_sessions() -> None:
    """Years have the session counts that the exchange publishes."""
    assert len(dates.sessions(date(2023, 1, 1), date(2023, 12, 31))) == 250
    assert len(dates.sessions(date(2024, 1, 1), date(2024, 12, 31))) == 252


@settings(deadline=None)  # the machine is shared: a slow moment is no failure
@given(days, st.integers(1, 30))
def test_next_and_previous_are_inverse(day: date, count: int) -> None:
    """From a session, forward and back by the same count is the same session."""
    session = dates.next_session(day)
    assert dates.previous_session(dates.next_session(session, count), count) == session


@settings(deadline=None)  # the machine is shared: a slow moment is no failure
@given(days)
def test_next_is_the_first_after(day: date) -> None:
    """There is no session between a day and its next session, nor between its previous session and it."""
    assert dates.sessions(day + timedelta(days=1), dates.next_session(day)) == [dates.next_session(day)]
    assert dates.sessions(dates.previous_session(day), day - timedelta(days=1)) == [dates.previous_session(day)]


@settings(deadline=None)  # the machine is shared: a slow moment is no failure
@given(st.datetimes(datetime(1991, 1, 1), datetime(2034, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants naive bounds
def test_last_closed_session_has_closed(moment: datetime) -> None:
    """Its close is not after the moment, and the next one's is."""
    day = dates.last_closed_session(moment)
    assert dates.session_close(day) <= moment < dates.session_close(dates.next_session(day))


def test_a_close_is_closed_at_its_instant() -> None:
    """One millisecond earlier it is not; another time zone is the same moment."""
    close = dates.session_close(date(2024, 1, 3))
    assert date(2024, 1, 3) == dates.last_closed_session(close)
    assert date(2024, 1, 2) == dates.last_closed_session(close - timedelta(milliseconds=1))
    assert date(2024, 1, 3) == dates.last_closed_session(close.astimezone(timezone(timedelta(hours=-5))))


def test_sessions_frame_agrees_with_the_functions() -> None:
    """The frame holds each session once, with its close in milliseconds."""
    frame = dates.sessions_frame(date(2024, 1, 1), date(2024, 12, 31))
    assert frame.schema == pl.Schema({"date": pl.Date(), "timestamp": pl.Datetime("ms", "UTC")})
    assert frame.get_column("date").to_list() == dates.sessions(date(2024, 1, 1), date(2024, 12, 31))
    assert frame.get_column("timestamp").to_list() == [dates.session_close(day) for day in frame.get_column("date")]


INVALID_CALLS: list[tuple[Callable[[], object], str]] = [
    (lambda: dates.is_session(date(1989, 12, 31)), "1989-12-31 is outside the calendar"),
    (lambda: dates.sessions(date(2024, 1, 1), date(2036, 1, 1)), "2036-01-01 is outside"),
    (lambda: dates.next_session(date(2035, 12, 31)), "outside the calendar"),
    (lambda: dates.previous_session(date(1990, 1, 2)), "outside the calendar"),
    (lambda: dates.next_session(date(2024, 1, 1), 0), "starts at 1"),
    (lambda: dates.session_close(date(2024, 1, 1)), "2024-01-01 is not a session"),
    (lambda: dates.last_closed_session(datetime(2024, 1, 1)), "no time zone"),  # noqa: DTZ001 - the fault under test
    (lambda: dates.sessions_frame(date(1980, 1, 1), date(2024, 1, 1)), "1980-01-01 is outside"),
]


@pytest.mark.parametrize(("call", "message"), INVALID_CALLS)
def test_an_invalid_day_is_named(call: Callable[[], object], message: str) -> None:
    """Outside the calendar, not a session, no time zone: InvalidRequestError that names the day."""
    with pytest.raises(InvalidRequestError, match=message):
        call()
