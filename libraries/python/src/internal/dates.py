"""The calendar of the fund, from 1990 to 2035: which days are XNYS sessions, and when each opens and closes.

No function reads a clock; the moment or day is an argument. `special_sessions.csv` lists the weekdays without a session
and the early closes, as exchange_calendars has them: importing that library takes 2 s, most of it for pandas.
"""

from bisect import bisect_left, bisect_right
from datetime import UTC, date, datetime, time
from functools import cache, lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import polars as pl

from internal.errors import InvalidRequestError

CALENDAR = "XNYS"
EPOCH = date(1970, 1, 1)  # from which dates that are stored as numbers are counted
FIRST_DAY = date(1990, 1, 1)
LAST_DAY = date(2035, 12, 31)
SPECIAL_SESSIONS = "special_sessions.csv"  # written by tests/write_special_sessions.py
NEW_YORK = "America/New_York"
REGULAR_OPEN, REGULAR_CLOSE = time(9, 30), time(16, 0)  # New York
FRIDAY = 5
REMEMBERED = 16_384  # answers: a backtest asks the same few questions of every session again and again


def list_weekdays() -> pl.DataFrame:
    """Every Monday to Friday of the calendar: date."""
    days = pl.DataFrame({"date": pl.date_range(FIRST_DAY, LAST_DAY, eager=True)})
    return days.filter(pl.col("date").dt.weekday() <= FRIDAY)


@cache
def _calendar() -> pl.DataFrame:
    """All sessions: date, open and timestamp (the close), Datetime(ms, UTC)."""
    special = pl.read_csv(
        files("internal").joinpath(SPECIAL_SESSIONS).read_bytes(), schema={"date": pl.Date(), "close": pl.Time()}
    )
    closed = special.filter(pl.col("close").is_null())
    return (
        list_weekdays()
        .join(closed, on="date", how="anti", maintain_order="left")
        .join(special, on="date", how="left", maintain_order="left")
        .select(
            "date",
            _moment_of(pl.lit(REGULAR_OPEN)).alias("open"),
            _moment_of(pl.col("close").fill_null(REGULAR_CLOSE)).alias("timestamp"),
        )
    )


def _moment_of(time_of_day: pl.Expr) -> pl.Expr:
    """A time of the day in New York as a moment, Datetime(ms, UTC)."""
    local = pl.col("date").dt.combine(time_of_day, time_unit="ms")
    return local.dt.replace_time_zone(NEW_YORK).dt.convert_time_zone("UTC")


@cache
def _days() -> list[date]:
    return _calendar().get_column("date").to_list()


@cache
def _moments(column: str) -> list[datetime]:
    moments = _calendar().get_column(column).dt.replace_time_zone(None).to_list()
    return [moment.replace(tzinfo=UTC) for moment in moments]


def require_covered(day: date) -> None:
    """Raise InvalidRequestError for a day that is outside the calendar."""
    if not FIRST_DAY <= day <= LAST_DAY:
        raise InvalidRequestError(
            f"{day.isoformat()} is outside the calendar, which covers {FIRST_DAY.isoformat()} to {LAST_DAY.isoformat()}"
        )


def _position(day: date) -> int:
    """The session's index in the calendar; InvalidRequestError when the day is not a session."""
    if not is_session(day):
        raise InvalidRequestError(f"{day.isoformat()} is not a session of {CALENDAR}")
    return bisect_left(_days(), day)


@lru_cache(maxsize=REMEMBERED)
def is_session(day: date) -> bool:
    """Whether the exchange trades on that day. Raises InvalidRequestError outside 1990..2035."""
    require_covered(day)
    position = bisect_left(_days(), day)
    return position < len(_days()) and _days()[position] == day


def sessions(start: date, end: date) -> list[date]:
    """The sessions from start to end, both included, ascending; empty when there is none or end is before start."""
    require_covered(start)
    require_covered(end)
    return _days()[bisect_left(_days(), start) : bisect_right(_days(), end)]


@lru_cache(maxsize=REMEMBERED)
def next_session(day: date, count: int = 1) -> date:
    """The `count`-th session strictly after the day (which need not be one). Raises InvalidRequestError past 2035."""
    return _session_at(bisect_right(_days(), day) - 1 + _positive(count), day)


def cut_to_milliseconds(moment: datetime) -> datetime:
    """The moment in whole milliseconds, as the lake's tables keep it."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@lru_cache(maxsize=REMEMBERED)
def previous_session(day: date, count: int = 1) -> date:
    """The `count`-th session strictly before the day (which need not be one). InvalidRequestError before 1990."""
    return _session_at(bisect_left(_days(), day) - _positive(count), day)


def _positive(count: int) -> int:
    if count < 1:
        raise InvalidRequestError(f"a count of sessions starts at 1, not {count}")
    return count


def _session_at(position: int, day: date) -> date:
    require_covered(day)
    if not 0 <= position < len(_days()):
        raise InvalidRequestError(f"a session counted from {day.isoformat()} is outside the calendar")
    return _days()[position]


@lru_cache(maxsize=REMEMBERED)
def session_open(day: date) -> datetime:
    """The moment (UTC) at which the session opens. Raises InvalidRequestError when the day is not a session."""
    return _moments("open")[_position(day)]


@lru_cache(maxsize=REMEMBERED)
def session_close(day: date) -> datetime:
    """The moment (UTC) of the session's close, early closes included. InvalidRequestError for another day."""
    return _moments("timestamp")[_position(day)]


def is_early_close(day: date) -> bool:
    """Whether the session ends before 16:00 in New York. Raises InvalidRequestError when the day is not a session."""
    return session_close(day).astimezone(ZoneInfo(NEW_YORK)).time() < REGULAR_CLOSE


@lru_cache(maxsize=REMEMBERED)
def last_closed_session(moment: datetime) -> date:
    """The latest session that had closed at the moment (a session is closed at the instant of its close).

    Raises InvalidRequestError when the moment has no time zone or is outside the calendar.
    """
    if moment.tzinfo is None:
        raise InvalidRequestError(f"{moment.isoformat()} has no time zone; a moment of the fund is in UTC")
    require_covered(moment.astimezone(UTC).date())
    return _session_at(bisect_right(_moments("timestamp"), moment) - 1, moment.astimezone(UTC).date())


def is_market_open(moment: datetime) -> bool:
    """Whether a session is going on: from its open until its close."""
    return session_open(next_session(last_closed_session(moment))) <= moment


def exchange_day(moment: datetime) -> date:
    """The date in New York at the moment: what is dated a day later has not happened, though it is that day in UTC.

    >>> exchange_day(datetime(2024, 3, 19, 1, tzinfo=UTC))
    datetime.date(2024, 3, 18)
    """
    return moment.astimezone(ZoneInfo(NEW_YORK)).date()


def sessions_frame(start: date, end: date) -> pl.DataFrame:
    """The sessions from start to end as a frame: date (Date), timestamp (the close, Datetime(ms, UTC))."""
    require_covered(start)
    require_covered(end)
    return _calendar().filter(pl.col("date").is_between(start, end)).select("date", "timestamp")


@lru_cache(maxsize=REMEMBERED)
def session_number(day: date) -> int:
    """The session's place in the calendar, from 0. InvalidRequestError for another day."""
    return _position(day)
