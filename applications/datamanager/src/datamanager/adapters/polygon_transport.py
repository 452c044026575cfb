"""The one door to the vendor's HTTP: every answer that passes is whole, in time and within the allowed rate.

Knows HTTP, retries and what a broken body looks like. Knows nothing of bars. It stands in for the urllib3 pool inside
polygon-api-client 1.16, which never applies its own timeout, hides status and `Retry-After` behind `BadResponse`, and
answers `[]` to a truncated body.
"""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import certifi
import urllib3
from pyrate_limiter import InMemoryBucket, Limiter, Rate, SingleBucketFactory

from datamanager.metrics import VENDOR_REQUESTS, VENDOR_SECONDS
from internal.errors import NotFoundError, UnavailableError, UpstreamError
from internal.http.retry_after import read_retry_after
from internal.retries import RetryPolicy, TransientError

MINUTE_MILLISECONDS = 60_000
RETRIES = RetryPolicy(attempts=6, first_pause=0.5, longest_pause=30.0, longest_retry_after=120.0)
QUOTED_CHARACTERS = 120
OK, FORBIDDEN, NOT_FOUND, TOO_MANY = 200, (401, 403), 404, 429
TRANSIENT_STATUSES = frozenset({408, TOO_MANY, 500, 502, 503, 504})


class UnknownAtVendorError(NotFoundError):
    """The vendor answered 404: it has no such ticker."""


@dataclass(frozen=True)
class Timeouts:
    """How long one attempt may take, in seconds."""

    connect: float = 5.0
    read: float = 30.0


TIMEOUTS = Timeouts()


@dataclass(frozen=True)
class VendorResponse:
    """An answer that passed: what polygon-api-client reads (`status`, `data`, `headers`) and the decoded body."""

    status: int
    data: bytes
    headers: Any
    body: dict[str, Any]


class VendorTransport:
    """`request` as urllib3's pool offers it, behind a token bucket, timeouts, retries and a check of each body.

    Args:
        key: the API key; sent in a header by the client, here only to keep it out of quoted answers.
        requests_per_minute: the vendor's allowance, retries included; 0 is unlimited.
        retries: attempts and the pauses between them.
        timeouts: of each attempt.
        connections: how many requests may run at once.
    """

    def __init__(
        self, key: str, requests_per_minute: int, retries: RetryPolicy, timeouts: Timeouts, connections: int
    ) -> None:
        self._key = key
        self._limiter = _limiter(requests_per_minute)
        self._retries = retries
        self._answered_at = -math.inf
        self._pool = urllib3.PoolManager(
            maxsize=connections,
            retries=False,
            timeout=urllib3.Timeout(connect=timeouts.connect, read=timeouts.read),
            ca_certs=certifi.where(),
        )

    def request(
        self, method: str, url: str, fields: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> VendorResponse:
        """One whole answer.

        Raises:
            UnknownAtVendorError: 404.
            UpstreamError: refused, or still broken after every attempt.
            UnavailableError: not reachable in any attempt.
        """
        asked = _asked(method, url, fields)
        return self._retries.call(lambda: self._attempt(asked, lambda: self._send(method, url, fields, headers)))

    def answered_within(self, seconds: float) -> bool:
        """Whether an answer has passed in that time."""
        return time.monotonic() - self._answered_at <= seconds

    def close(self) -> None:
        """Let every connection go."""
        self._pool.clear()

    def _send(
        self, method: str, url: str, fields: dict[str, Any] | None, headers: dict[str, str] | None
    ) -> urllib3.BaseHTTPResponse:
        if self._limiter is not None:
            self._limiter.try_acquire("vendor")
        with VENDOR_SECONDS.time():
            return self._pool.request(method, url, fields=fields, headers=headers)

    def _attempt(self, asked: str, send: Callable[[], urllib3.BaseHTTPResponse]) -> VendorResponse:
        try:
            response = send()
        except urllib3.exceptions.HTTPError as failure:
            VENDOR_REQUESTS.labels("unreachable").inc()
            raise TransientError(_unreachable(asked, failure, self._retries.attempts)) from failure
        self._check_status(asked, response)
        body = self._decode(asked, response)
        VENDOR_REQUESTS.labels("ok").inc()
        self._answered_at = time.monotonic()
        return VendorResponse(response.status, response.data, response.headers, body)

    def _check_status(self, asked: str, response: urllib3.BaseHTTPResponse) -> None:
        if response.status == OK:
            return
        came = f"{asked} was answered {response.status}: {self._quote(response.data)}"
        if response.status in TRANSIENT_STATUSES:
            VENDOR_REQUESTS.labels("rate_limited" if response.status == TOO_MANY else "server_error").inc()
            raise TransientError(
                UpstreamError(f"{came}. {self._retries.attempts} attempts were made. {_advice(response.status)}"),
                read_retry_after(response.headers.get("Retry-After")),
            )
        VENDOR_REQUESTS.labels("refused").inc()
        if response.status == NOT_FOUND:
            raise UnknownAtVendorError(came)
        raise UpstreamError(f"{came}. {_advice(response.status)}")

    def _decode(self, asked: str, response: urllib3.BaseHTTPResponse) -> dict[str, Any]:
        try:
            body = json.loads(response.data)
        except ValueError as failure:
            VENDOR_REQUESTS.labels("unreadable").inc()
            raise TransientError(
                UpstreamError(
                    f"{asked} was answered with {len(response.data)} bytes that are no whole JSON: "
                    f"{self._quote(response.data)}. Nothing of it was stored; ask again, and if it goes on, check "
                    f"POLYGON_BASE_URL and any proxy in between"
                )
            ) from failure
        if not isinstance(body, dict):
            VENDOR_REQUESTS.labels("unreadable").inc()
            raise UpstreamError(f"{asked} was answered with a JSON {type(body).__name__} where an object belongs")
        _check_envelope(asked, body)
        return body

    def _quote(self, content: bytes) -> str:
        """The answer's beginning, fit for a log: one line, and never with the key that some servers echo."""
        text = " ".join(content.decode("utf-8", errors="replace").split())
        return repr(text.replace(self._key, "***")[:QUOTED_CHARACTERS])


def _check_envelope(asked: str, body: dict[str, Any]) -> None:
    """A body that says it is not final, or counts results that it does not hold, is no answer."""
    status = body.get("status", "OK")
    if status != "OK":
        VENDOR_REQUESTS.labels("unreadable").inc()
        raise UpstreamError(
            f"{asked} was answered with status {status!r}, not OK: the vendor has no final figures for it yet or the "
            f"plan does not include them. Ask again later"
        )
    expects_results = "results" in body or body.get("resultsCount", 0)
    if expects_results and body.get("results") is None:
        VENDOR_REQUESTS.labels("unreadable").inc()
        raise UpstreamError(
            f"{asked} was answered without results although it counts {body.get('resultsCount', 'some')}; "
            f"nothing of it was stored, ask again"
        )


def _asked(method: str, url: str, fields: dict[str, Any] | None) -> str:
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, urlencode(fields or {})) if part)
    return f"{method} {parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}{'?' + query if query else ''}"


def _advice(status: int) -> str:
    if status in FORBIDDEN:
        return "Check POLYGON_API_KEY and what its plan includes"
    if status == TOO_MANY:
        return "Lower POLYGON_REQUESTS_PER_MINUTE to the plan's allowance"
    return "Ask again later; what was collected before is kept"


def _unreachable(asked: str, failure: Exception, attempts: int) -> UnavailableError:
    return UnavailableError(
        f"{asked} could not be sent or answered ({type(failure).__name__}) in {attempts} attempts; "
        f"check POLYGON_BASE_URL and the network. What was collected before is kept"
    )


def _limiter(requests_per_minute: int) -> Limiter | None:
    if requests_per_minute == 0:
        return None
    bucket = InMemoryBucket([Rate(requests_per_minute, MINUTE_MILLISECONDS)])
    return Limiter(SingleBucketFactory(bucket, schedule_leak=False))  # put() leaks; no thread is needed
