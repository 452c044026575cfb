"""What a scheduler asks of the services after a close: `sync` collects the session's bars, `rebalance` trades it.

Asking again for the same session is harmless.

    python -m infrastructure.closing sync [--date 2024-07-03]    # DATAMANAGER_URL, FUND_API_TOKEN
    python -m infrastructure.closing rebalance                   # PORTFOLIOMANAGER_URL, FUND_API_TOKEN
"""

import argparse
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial

import httpx

from infrastructure.schedule import due_session
from infrastructure.swarm.docker import run_command, say
from internal.errors import ConfigurationError, UnavailableError
from internal.http.bearer import bearer_headers
from internal.http.client import raise_for_problem

ANSWER_SECONDS = 900.0  # a session of the whole market on the vendor's free plan
ATTEMPTS = 6
PAUSE_SECONDS = 30.0
PASSING = frozenset({429, 502, 503, 504})  # what a restart or an update of a service looks like from outside


@dataclass(frozen=True)
class Request:
    """What is asked for one session.

    Args:
        variable: The variable that holds the service's base URL.
        paths: Where to POST, in this order.
        after: How long after the close it is due.
        within: How long after the close it is still useful.
    """

    variable: str
    paths: Sequence[str]
    after: timedelta
    within: timedelta


REQUESTS: Mapping[str, Request] = {
    "sync": Request("DATAMANAGER_URL", ["/equity-bars"], timedelta(minutes=30), timedelta(minutes=150)),
    "rebalance": Request(
        "PORTFOLIOMANAGER_URL", ["/predictions", "/portfolios"], timedelta(minutes=60), timedelta(minutes=180)
    ),
}


def ask(request: Request, session: date | None, environment: Mapping[str, str], pause: float = PAUSE_SECONDS) -> None:
    """Ask the service for a session; without one, only say that none is due.

    Raises:
        ConfigurationError: the service's URL is not set.
        FundError: the service refused, or could not be reached at any attempt.
    """
    if session is None:
        say("no session is due")
        return
    if not (base := environment.get(request.variable, "").rstrip("/")):
        raise ConfigurationError(f"{request.variable} is not set: the address at which the service is reached")
    token = environment.get("FUND_API_TOKEN", "")
    headers = bearer_headers(token)
    with httpx.Client(base_url=base, headers=headers, timeout=ANSWER_SECONDS, trust_env=False) as client:
        for path in request.paths:
            answer = _post(client, path, session, pause)
            raise_for_problem(answer)
            say(f"session {session}: POST {path} answered {answer.status_code}")


def _post(client: httpx.Client, path: str, session: date, pause: float) -> httpx.Response:
    """One POST, again while what is wrong may pass; the last answer."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            answer = client.post(path, json={"date": session.isoformat()})
        except httpx.TransportError as error:
            reason = f"not reached: {type(error).__name__}"
            if attempt == ATTEMPTS:
                raise UnavailableError(f"POST {path} {reason}, {ATTEMPTS} times") from error
        else:
            reason = f"answered {answer.status_code}"
            if answer.status_code not in PASSING or attempt == ATTEMPTS:
                return answer
        say(f"session {session}: POST {path} {reason}; again in {pause:g} s")
        time.sleep(pause)
    raise AssertionError("the last attempt has returned or raised")


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask; the exit status."""
    parser = argparse.ArgumentParser(prog="infrastructure.closing", description="What is asked after a close.")
    parser.add_argument("what", choices=sorted(REQUESTS))
    parser.add_argument("--date", type=date.fromisoformat, help="a session; the one that has just closed by default")
    asked = parser.parse_args(arguments)
    request = REQUESTS[asked.what]
    session = asked.date or due_session(datetime.now(UTC), after=request.after, within=request.within)
    return run_command(partial(ask, request, session, os.environ))


if __name__ == "__main__":
    sys.exit(main())
