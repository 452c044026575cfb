"""HTTP requests to Alpaca: rate limit, timeouts, retries, and a check of every answer.

It replaces the transport inside alpaca-py, which sets no timeout and asks again after three seconds whatever the
vendor says.
"""

import json
import math
import re
import time
from http import HTTPStatus
from typing import Any, cast

from requests import Response, Session
from requests.exceptions import RequestException

from datamanager.adapters.vendor_limits import Timeouts, make_limiter
from datamanager.metrics import VENDOR_REQUESTS, VENDOR_SECONDS
from internal.errors import UnavailableError, UpstreamError
from internal.http.retry_after import read_retry_after
from internal.retries import RetryPolicy, TransientError

TRANSIENT_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
QUOTED_CHARACTERS = 120
INVALID_SYMBOL = re.compile(r'"message"\s*:\s*"invalid symbol: ([^"]+)"')


class RecentDataError(UpstreamError):
    """The plan does not include data that is as young as what was asked for."""


class InvalidSymbolError(UpstreamError):
    """The vendor refuses a whole request because of one of its symbols."""

    def __init__(self, detail: str, symbol: str) -> None:
        super().__init__(detail)
        self.symbol = symbol


class AlpacaTransport:
    """Sends the requests of every client of the vendor.

    Args:
        secrets: Keys, which are removed from quoted answers.
        requests_per_minute: The vendor's rate limit, retries included; 0 is unlimited.
        retries: Attempts and the pauses between them.
        timeouts: Of each attempt.
    """

    def __init__(
        self, secrets: tuple[str, ...], requests_per_minute: int, retries: RetryPolicy, timeouts: Timeouts
    ) -> None:
        self._secrets = secrets
        self.limiter = make_limiter(requests_per_minute)
        self._retries = retries
        self._timeouts = (timeouts.connect, timeouts.read)
        self._answered_at = -math.inf

    def has_answered_within(self, seconds: float) -> bool:
        """Whether a complete answer was received within that time."""
        return time.monotonic() - self._answered_at <= seconds

    def request(self, session: Session, method: str, url: str, options: dict[str, Any]) -> object:
        """The JSON of a complete answer.

        Raises:
            RecentDataError: The plan does not include it yet.
            InvalidSymbolError: One of the symbols is none of the vendor's.
            UpstreamError: The vendor refused, or every attempt was answered with an error or incompletely.
            UnavailableError: The vendor could not be reached in any attempt.
        """
        return self._retries.call(lambda: self._attempt(session, method, url, options))

    def _attempt(self, session: Session, method: str, url: str, options: dict[str, Any]) -> object:
        if self.limiter is not None:
            self.limiter.try_acquire("vendor")
        request = f"{method} {url}"
        try:
            with VENDOR_SECONDS.time():
                response = session.request(method, url, timeout=self._timeouts, **options)
        except RequestException as failure:
            VENDOR_REQUESTS.labels("unreachable").inc()
            raise TransientError(_unreachable(request, failure, self._retries.attempts)) from failure
        body = self._read(request, response)
        VENDOR_REQUESTS.labels("ok").inc()
        self._answered_at = time.monotonic()
        return body

    def _read(self, request: str, response: Response) -> object:
        if response.status_code != HTTPStatus.OK:
            raise self._refusal(request, response)
        try:
            return cast("object", json.loads(response.content))
        except ValueError as failure:
            VENDOR_REQUESTS.labels("unreadable").inc()
            sentence = f"{request} was answered with {len(response.content)} bytes that are no complete JSON"
            raise TransientError(
                UpstreamError(f"{sentence}: {self._quote(response)}. Nothing of it was stored; ask again")
            ) from failure

    def _refusal(self, request: str, response: Response) -> TransientError | UpstreamError:
        status, quoted = response.status_code, self._quote(response)
        sentence = f"{request} was answered {status}: {quoted}. {_advise(status)}"
        if status in TRANSIENT_STATUSES:
            VENDOR_REQUESTS.labels("rate_limited" if status == HTTPStatus.TOO_MANY_REQUESTS else "server_error").inc()
            return TransientError(UpstreamError(sentence), _seconds_to_wait(response))
        VENDOR_REQUESTS.labels("refused").inc()
        invalid = INVALID_SYMBOL.search(response.text) if status == HTTPStatus.BAD_REQUEST else None
        if invalid is not None:
            return InvalidSymbolError(sentence, invalid[1])
        if status == HTTPStatus.FORBIDDEN and "recent" in quoted:
            return RecentDataError(f"{request} was answered {status}: {quoted}. Set ALPACA_DATA_DELAY_MINUTES to 15")
        return UpstreamError(sentence)

    def _quote(self, response: Response) -> str:
        """The beginning of the answer for a message: one line, without a key."""
        text = " ".join(response.content.decode("utf-8", errors="replace").split())
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return repr(text[:QUOTED_CHARACTERS])


def _seconds_to_wait(response: Response) -> float | None:
    """`Retry-After`, else the seconds until `X-RateLimit-Reset`, which is a moment in Unix seconds."""
    asked = read_retry_after(response.headers.get("Retry-After"))
    reset = response.headers.get("X-RateLimit-Reset", "")
    if asked is not None or not reset.isdecimal():
        return asked
    return max(int(reset) - time.time(), 0.0)


def _unreachable(request: str, failure: Exception, attempts: int) -> UnavailableError:
    return UnavailableError(
        f"{request} could not be sent or answered ({type(failure).__name__}) in {attempts} attempts; check "
        f"ALPACA_DATA_URL, ALPACA_BASE_URL and the network. Sessions ingested before stay in the lake"
    )


def _advise(status: int) -> str:
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return "Check ALPACA_API_KEY_ID and ALPACA_API_SECRET, and that ALPACA_BASE_URL is the account's own"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "Lower ALPACA_DATA_REQUESTS_PER_MINUTE to the plan's rate limit"
    return "Ask again later; sessions ingested before stay in the lake"
