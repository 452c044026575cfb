"""The vendor's list of closed days and early closes, made from the calendar of sessions."""

from datetime import UTC, date, datetime, timedelta

from exchange.responses.polygon_market import HolidayBody
from internal.dates import is_session, session_close, session_open
from internal.venue.clock import NEW_YORK

EXCHANGES = ("NASDAQ", "NYSE")
DAYS_AHEAD = 365
SATURDAY, REGULAR_CLOSE = 5, 16
BY_DATE = {(1, 1): "New Years Day", (6, 19): "Juneteenth", (7, 4): "Independence Day", (12, 25): "Christmas"}
BY_MONTH = {
    1: "Martin Luther King, Jr. Day",
    2: "Washington's Birthday",
    3: "Good Friday",
    4: "Good Friday",
    5: "Memorial Day",
    6: "Juneteenth",
    7: "Independence Day",
    9: "Labor Day",
    11: "Thanksgiving",
    12: "Christmas",
}


def list_holidays(today: date) -> list[HolidayBody]:
    """The closed weekdays and early closes of a year from the day on, one for each exchange."""
    days = (today + timedelta(days=number) for number in range(DAYS_AHEAD))
    return [body for day in days if day.weekday() < SATURDAY for body in _bodies(day)]


def _bodies(day: date) -> list[HolidayBody]:
    if not is_session(day):
        return [HolidayBody(date=day.isoformat(), exchange=one, name=_name(day), status="closed") for one in EXCHANGES]
    if session_close(day).astimezone(NEW_YORK).hour >= REGULAR_CLOSE:
        return []
    return [
        HolidayBody(
            date=day.isoformat(),
            exchange=one,
            name=_name(day),
            status="early-close",
            open=_moment(session_open(day)),
            close=_moment(session_close(day)),
        )
        for one in EXCHANGES
    ]


def _name(day: date) -> str:
    """The holiday's name; one that falls on a weekend is observed on the weekday beside it."""
    for offset in (0, 1, -1):
        near = day + timedelta(days=offset)
        if (near.month, near.day) in BY_DATE and (offset == 0 or near.weekday() >= SATURDAY or is_session(day)):
            return BY_DATE[near.month, near.day]
    return BY_MONTH.get(day.month, "Market Holiday")


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
