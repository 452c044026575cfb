"""Which days a request means, and whether it may mean them.

Knows ranges, their limits and the vendor's last closed session, which it is told. Pure.
"""

from dataclasses import dataclass
from datetime import date

from internal.dates import is_session, next_session, sessions
from internal.errors import InvalidRequestError

LONGEST_YEARS = 10


@dataclass(frozen=True)
class Period:
    """Days from `start` to `end`, both included."""

    start: date
    end: date

    @classmethod
    def checked(cls, start: date, end: date) -> "Period":
        """A period that runs forwards and spans ten years at most; InvalidRequestError otherwise."""
        if end < start:
            raise InvalidRequestError(f"the range runs backwards: start_date {start} is after end_date {end}")
        if (end.year - start.year, end.month, end.day) > (LONGEST_YEARS, start.month, start.day):
            raise InvalidRequestError(
                f"{start} to {end} is longer than {LONGEST_YEARS} years; ask for it in shorter ranges"
            )
        return cls(start, end)


def sessions_to_collect(period: Period, last_closed: date) -> list[date]:
    """The sessions of the period, all of them closed.

    Raises InvalidRequestError when the period reaches past the vendor's last closed session.
    """
    wanted = sessions(period.start, period.end)
    if wanted and wanted[-1] > last_closed:
        raise InvalidRequestError(
            f"the session of {wanted[-1]} has not closed at the vendor, whose last closed session is {last_closed}; "
            f"end the range there"
        )
    return wanted


def session_to_collect(day: date, last_closed: date) -> list[date]:
    """The one day as a list; InvalidRequestError when it is no session or has not closed."""
    if not is_session(day):
        raise InvalidRequestError(f"{day} is not a session of XNYS: the exchange was closed")
    return sessions_to_collect(Period(day, day), last_closed)


def runs(wanted: list[date], complete: set[date], longest: int) -> list[list[date]]:
    """The sessions still to collect, in order, cut into stretches of at most `longest`.

    No complete session lies between the first and the last of a stretch: it can be replaced as one range.
    """
    stretches: list[list[date]] = [[]]
    for day in wanted:
        if day in complete or len(stretches[-1]) == longest:
            stretches.append([])
        if day not in complete:
            stretches[-1].append(day)
    return [stretch for stretch in stretches if stretch]


def ends_month(stretch: list[date]) -> bool:
    """Whether the stretch holds the last session of a month."""
    first, after = stretch[0], next_session(stretch[-1])
    return (first.year, first.month) != (after.year, after.month)
