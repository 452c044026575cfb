"""Date ranges of requests and the sessions in them that may be ingested. Pure: clock values are arguments."""

from dataclasses import dataclass
from datetime import date

from internal.dates import is_session, next_session, sessions
from internal.errors import InvalidRequestError

MAXIMUM_YEARS = 10


@dataclass(frozen=True)
class Period:
    """Days from `start` to `end`, both included."""

    start: date
    end: date

    @classmethod
    def between(cls, start: date, end: date) -> "Period":
        """A period of at most ten years; InvalidRequestError when it is longer or ends before it starts."""
        if end < start:
            raise InvalidRequestError(f"the range runs backwards: start_date {start} is after end_date {end}")
        if (end.year - start.year, end.month, end.day) > (MAXIMUM_YEARS, start.month, start.day):
            raise InvalidRequestError(
                f"{start} to {end} is longer than {MAXIMUM_YEARS} years; ask for it in shorter ranges"
            )
        return cls(start, end)


def list_closed_sessions(period: Period, last_closed: date) -> list[date]:
    """The sessions of the period; InvalidRequestError when one of them is after the vendor's last closed session."""
    wanted = sessions(period.start, period.end)
    if wanted and wanted[-1] > last_closed:
        raise InvalidRequestError(
            f"the session of {wanted[-1]} has not closed at the vendor, whose last closed session is {last_closed}; "
            f"end the range there"
        )
    return wanted


def require_closed_session(day: date, last_closed: date) -> list[date]:
    """The day as a list of one session; InvalidRequestError when it is not a session or has not closed."""
    if not is_session(day):
        raise InvalidRequestError(f"{day} is not a session of XNYS: the exchange was closed")
    return list_closed_sessions(Period(day, day), last_closed)


def split_into_batches(wanted: list[date], present: set[date], longest: int) -> list[list[date]]:
    """The missing sessions, in order, in batches of at most `longest`.

    No session in `present` is between the first and the last of a batch, so that a batch can be replaced as one range
    of dates.
    """
    batches: list[list[date]] = [[]]
    for day in wanted:
        if day in present or len(batches[-1]) == longest:
            batches.append([])
        if day not in present:
            batches[-1].append(day)
    return [batch for batch in batches if batch]


def split_at_gaps(wanted: list[date], longest: int) -> list[list[date]]:
    """The sessions, in order, in batches of at most `longest` without another session of the calendar in between."""
    every = sessions(wanted[0], wanted[-1])
    return split_into_batches(every, set(every) - set(wanted), longest)


def contains_month_end(batch: list[date]) -> bool:
    """Whether the batch contains the last session of a month."""
    first, after = batch[0], next_session(batch[-1])
    return (first.year, first.month) != (after.year, after.month)
