"""How long the fund took from the close of each session to its decision, by the times of its events."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from internal.event_types import EventType
from internal.pages.formats import THIN_SPACE, plain

SHOWN_SESSIONS = 6
MINUTE = 60.0
LONG = 2 * MINUTE  # from here on in minutes


@dataclass(frozen=True)
class CloseToDecision:
    """One session; seconds.

    Attributes:
        day: The session.
        bars: From the event of its close until its bars were in the lake.
        forecast: From then until the forecasts were stored; 0 for a strategy that reads none.
        decision: From then until the portfolio was decided and its orders were sent.
    """

    day: date
    bars: float
    forecast: float
    decision: float

    @property
    def total(self) -> float:
        """From the event of the close to the decision."""
        return self.bars + self.forecast + self.decision


def measure_sessions(moments: Mapping[str, datetime]) -> tuple[CloseToDecision, ...]:
    """The newest decided sessions, newest first; `moments` are of the events by their ids."""
    decided = f"{EventType.PORTFOLIO_REBALANCED}:"
    days = sorted(date.fromisoformat(one.removeprefix(decided)) for one in moments if one.startswith(decided))
    found = (_measure(day, moments) for day in reversed(days))
    return tuple(one for one in found if one is not None)[:SHOWN_SESSIONS]


def _measure(day: date, moments: Mapping[str, datetime]) -> CloseToDecision | None:
    """None where an event is no longer listed, or was made again after the next one."""
    kinds = EventType.SESSION_CLOSED, EventType.BARS_SYNCED, EventType.PREDICTIONS_MADE, EventType.PORTFOLIO_REBALANCED
    closed, synced, forecast, decided = (moments.get(f"{kind}:{day}") for kind in kinds)
    if closed is None or synced is None or decided is None:
        return None
    forecast = forecast or synced
    if not closed <= synced <= forecast <= decided:
        return None
    times = (closed, synced), (synced, forecast), (forecast, decided)
    return CloseToDecision(day, *((end - start).total_seconds() for start, end in times))


def write_seconds(seconds: float) -> str:
    """A length of time: seconds, or minutes where it is long.

    >>> write_seconds(4.21), write_seconds(200)
    ('4.2\u2009s', '3.3\u2009min')
    """
    if seconds < LONG:
        return f"{plain(seconds, 1)}{THIN_SPACE}s"
    return f"{plain(seconds / MINUTE, 1)}{THIN_SPACE}min"
