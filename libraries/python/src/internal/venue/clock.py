"""The exchange's clock: which phase a moment is in, and which steps lie between two moments.

The exchange's clock is independent of the machine's: it moves only when a client moves it.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from internal.dates import is_session, last_closed_session, session_close, session_open
from internal.errors import ConflictError, InvalidRequestError

NEW_YORK = ZoneInfo("America/New_York")


class Phase(StrEnum):
    """Where a moment is: before a session's open (same day in New York), inside the session, or after it."""

    PRE_OPEN = "pre_open"
    OPEN = "open"
    CLOSED = "closed"


class Auction(StrEnum):
    """The two moments of a session at which the exchange's clock stops and orders fill."""

    OPEN = "open"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class ClockReading:
    """A moment (UTC) with the session and the phase that it belongs to."""

    timestamp: datetime
    session: date
    phase: Phase


@dataclass(frozen=True, slots=True)
class Step:
    """One stop of the clock: a session's open or its close."""

    auction: Auction
    session: date
    timestamp: datetime


@lru_cache(maxsize=64)
def read_clock(moment: datetime) -> ClockReading:
    """The session and phase of a moment. A close belongs to `closed`, an open to `open`."""
    day = moment.astimezone(NEW_YORK).date()
    if not is_session(day) or moment >= session_close(day):
        return ClockReading(moment, last_closed_session(moment), Phase.CLOSED)
    return ClockReading(moment, day, Phase.OPEN if moment >= session_open(day) else Phase.PRE_OPEN)


def steps_between(start: datetime, end: datetime, sessions: Sequence[date]) -> list[Step]:
    """The opens and closes with start < timestamp <= end, in order.

    Raises ConflictError when the end is after the last close that the market can play.
    """
    last = session_close(sessions[-1])
    if end > last:
        raise ConflictError(
            f"The market ends at the close of {sessions[-1].isoformat()}; its clock cannot move on to "
            f"{end.isoformat()}. Start a fresh exchange, or replay a longer file."
        )
    days = sessions[max(bisect_right(sessions, start.date()) - 2, 0) : bisect_right(sessions, end.date())]
    steps = [
        step
        for day in days
        for step in (Step(Auction.OPEN, day, session_open(day)), Step(Auction.CLOSE, day, session_close(day)))
    ]
    return [step for step in steps if start < step.timestamp <= end]


def next_step(start: datetime, auction: Auction, sessions: Sequence[date]) -> datetime:
    """The next open or close strictly after `start`. Raises ConflictError at the market's end."""
    moment_of = session_open if auction is Auction.OPEN else session_close
    position = max(bisect_right(sessions, start.date()) - 2, 0)
    for day in sessions[position : position + 4]:
        if moment_of(day) > start:
            return moment_of(day)
    raise ConflictError(
        f"The market ends at the close of {sessions[-1].isoformat()}: there is no next {auction}. "
        "Start a fresh exchange, or replay a longer file."
    )


def parse_moment(text: str) -> datetime:
    """An ISO 8601 moment with a time zone, as UTC. Raises InvalidRequestError that says what was wrong."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidRequestError(f"`timestamp` is no ISO 8601 moment: {text!r}") from error
    if moment.tzinfo is None:
        raise InvalidRequestError(f"`timestamp` needs a time zone, for example {text}Z")
    return moment.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class ExchangeClock:
    """The exchange's clock at one moment (UTC)."""

    moment: datetime

    def now(self) -> datetime:
        """The exchange's moment, UTC, milliseconds."""
        return self.moment

    def reading(self) -> ClockReading:
        """The moment with its session and phase."""
        return read_clock(self.moment)

    def today(self) -> date:
        """The day in New York."""
        return self.moment.astimezone(NEW_YORK).date()

    def last_closed_session(self) -> date:
        """The latest session whose close the clock has passed; nothing later may be shown to anyone."""
        return last_closed_session(self.moment)
