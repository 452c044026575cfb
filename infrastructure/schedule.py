"""Decides whether a scheduled job has a session to work on: "has a session just closed?".

It knows the exchange's calendar (early closes, holidays, daylight saving) and takes the moment as an argument.
It does not know what the job does, nor where the services are.

    python -m infrastructure.schedule --after-minutes 30 --within-minutes 150    # prints 2024-07-03, or nothing
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

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


def main(arguments: Sequence[str] | None = None, *, moment: datetime | None = None) -> int:
    """Print the session that is due, or nothing.

    Args:
        arguments: the command line's by default.
        moment: the time to decide for; the present by default.

    Returns:
        The exit status 0: no session is an answer, not a fault.
    """
    parser = argparse.ArgumentParser(prog="infrastructure.schedule", description="Which session has just closed?")
    parser.add_argument("--after-minutes", type=int, required=True)
    parser.add_argument("--within-minutes", type=int, required=True)
    asked = parser.parse_args(arguments)
    session = due_session(
        moment or datetime.now(UTC),
        after=timedelta(minutes=asked.after_minutes),
        within=timedelta(minutes=asked.within_minutes),
    )
    if session is not None:
        sys.stdout.write(f"{session.isoformat()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
