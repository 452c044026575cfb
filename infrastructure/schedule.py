"""Decides whether a scheduled job has a session to work on: "has a session just closed?".

The exchange's calendar (early closes, holidays, daylight saving) decides; the moment is an argument.
"""

from datetime import date, datetime, timedelta

from internal.dates import last_closed_session, session_close


def due_session(moment: datetime, *, after: timedelta, within: timedelta) -> date | None:
    """Return the session that closed at least `after` and at most `within` ago, if there is one.

    A scheduler may start a job late or leave a run out, and asks several times after each close; the services
    answer the same date twice with the stored result, so a wide window costs nothing and loses no session.

    Args:
        moment: the time to decide for, with its time zone.
        after: how long the vendor needs to publish the session's bars.
        within: how long after the close the job is still useful; longer than the pause between two runs.

    Returns:
        The date of the session, or None when the job has nothing to do.
    """
    session = last_closed_session(moment)
    age = moment - session_close(session)
    return session if after <= age <= within else None
