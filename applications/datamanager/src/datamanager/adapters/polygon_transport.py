"""HTTP requests to Polygon: rate limit, timeouts, retries, and a check that every answer is complete.

It replaces the urllib3 pool inside the vendor's clients (massive 2.9, polygon-api-client 1.16), which never apply their
own timeout, hide status and `Retry-After` behind `BadResponse`, and answer `[]` to a truncated body.
"""

import math
import time

import certifi
import urllib3

from datamanager.adapters.polygon_answers import VendorAnswer, check_answer, describe_request
from datamanager.adapters.vendor_limits import Timeouts, make_limiter
from datamanager.metrics import VENDOR_REQUESTS, VENDOR_SECONDS
from internal.errors import UnavailableError
from internal.retries import RetryPolicy, TransientError


class VendorTransport:
    """Sends requests with the interface of urllib3's pool.

    Args:
        key: The API key; the client sends it in a header, here it is only removed from quoted answers.
        requests_per_minute: The vendor's rate limit, retries included; 0 is unlimited.
        retries: Attempts and the pauses between them.
        timeouts: Of each attempt.
        connections: The number of concurrent requests.
    """

    def __init__(
        self, key: str, requests_per_minute: int, retries: RetryPolicy, timeouts: Timeouts, connections: int
    ) -> None:
        self._key = key
        self.limiter = make_limiter(requests_per_minute)
        self._retries = retries
        self._answered_at = -math.inf
        self._pool = urllib3.PoolManager(
            maxsize=connections,
            retries=False,
            timeout=urllib3.Timeout(connect=timeouts.connect, read=timeouts.read),
            ca_certs=certifi.where(),
        )

    def request(
        self, method: str, url: str, fields: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> VendorAnswer:
        """Send a request until it is answered completely.

        Raises:
            UpstreamError: The vendor refused, or every attempt was answered with an error or incompletely.
            UnavailableError: The vendor could not be reached in any attempt.
        """
        return self._retries.call(lambda: self._attempt(method, url, fields, headers))

    def has_answered_within(self, seconds: float) -> bool:
        """Whether a complete answer was received within that time."""
        return time.monotonic() - self._answered_at <= seconds

    def close(self) -> None:
        """Close every connection."""
        self._pool.clear()

    def _attempt(
        self, method: str, url: str, fields: dict[str, str] | None, headers: dict[str, str] | None
    ) -> VendorAnswer:
        if self.limiter is not None:
            self.limiter.try_acquire("vendor")
        request = describe_request(method, url, fields)
        try:
            with VENDOR_SECONDS.time():
                response = self._pool.request(method, url, fields=fields, headers=headers)
        except urllib3.exceptions.HTTPError as failure:
            VENDOR_REQUESTS.labels("unreachable").inc()
            raise TransientError(_unreachable(request, failure, self._retries.attempts)) from failure
        answer = check_answer(request, response, self._retries.attempts, self._key)
        VENDOR_REQUESTS.labels("ok").inc()
        self._answered_at = time.monotonic()
        return answer


def _unreachable(request: str, failure: Exception, attempts: int) -> UnavailableError:
    return UnavailableError(
        f"{request} could not be sent or answered ({type(failure).__name__}) in {attempts} attempts; "
        f"check POLYGON_BASE_URL and the network. Sessions ingested before stay in the lake"
    )
