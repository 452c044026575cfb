"""When each run is due, by the exchange's calendar: early closes, holidays and daylight saving are the calendar's."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from internal.dates import last_closed_session, next_session, session_close, session_open
from scheduler.runs import RunKind


@dataclass(frozen=True)
class Timetable:
    """How long after an open or a close the runs of a session are due.

    Attributes:
        bars_delay: From the close until the vendor has the session's bars.
        open_delay: From the open until its fills are known.
        retrain_every: Sessions from one retraining to the next; 0 is never.
    """

    bars_delay: timedelta
    open_delay: timedelta
    retrain_every: int = 0

    def due_at(self, kind: RunKind, session: date) -> datetime:
        """When the run of a session is due."""
        if kind is RunKind.RECONCILIATION:
            return session_open(session) + self.open_delay
        return session_close(session) + self.bars_delay

    def last_due(self, kind: RunKind, moment: datetime) -> date:
        """The newest session whose run was due by the moment."""
        if kind is RunKind.RECONCILIATION:
            return last_opened_session(moment - self.open_delay)
        return last_closed_session(moment - self.bars_delay)


def last_opened_session(moment: datetime) -> date:
    """The newest session that had opened by the moment, whether or not it has closed."""
    closed = last_closed_session(moment)
    following = next_session(closed)
    return following if session_open(following) <= moment else closed
