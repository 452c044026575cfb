"""HTTP requests to EDGAR: a declared user agent, the SEC's rate limit, timeouts, retries, and complete JSON alone.

The SEC's rules: https://www.sec.gov/about/webmaster-frequently-asked-questions#developers.
"""

import json
from http import HTTPStatus
from typing import cast

import httpx
from pyrate_limiter import InMemoryBucket, Limiter, Rate, SingleBucketFactory

from datamanager.metrics import EDGAR_REQUESTS
from internal.errors import ConfigurationError, UnavailableError, UpstreamError
from internal.http.authorities import trusted_authorities
from internal.http.retry_after import read_retry_after
from internal.retries import RetryPolicy, TransientError

SECOND_MILLISECONDS = 1000
RETRIES = RetryPolicy(attempts=6, first_pause=1.0, longest_pause=120.0, longest_retry_after=600.0)
TIMEOUT = httpx.Timeout(60.0, connect=5.0)  # seconds; the facts of a large company are several megabytes
TRANSIENT_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
TOO_FAST, UNDECLARED = "Request Rate Threshold Exceeded", "Undeclared Automated Tool"
QUOTED_CHARACTERS = 120
NOT_DECLARED = (
    "EDGAR_USER_AGENT is not set, and the SEC refuses requests that do not say who sends them: set it to your name and "
    "e-mail address, such as EDGAR_USER_AGENT='Jane Doe jane@example.com'; no account is needed"
)


class EdgarTransport:
    """Sends GET requests to the SEC.

    Requests are spaced evenly: bursts of ten would arrive closer together than they were sent, and the SEC blocks an
    address for ten minutes.

    Args:
        user_agent: Name and e-mail address of who asks; None refuses every request.
        requests_per_second: The rate limit, retries included; 0 is unlimited.
        retries: Attempts and the pauses between them.
        timeout: Of each attempt.
    """

    def __init__(
        self, user_agent: str | None, requests_per_second: float, retries: RetryPolicy, timeout: httpx.Timeout
    ) -> None:
        self._user_agent = user_agent
        self._limiter = _make_limiter(requests_per_second)
        self._retries = retries
        headers = {"User-Agent": user_agent or "", "Accept-Encoding": "gzip, deflate"}
        self._http = httpx.Client(headers=headers, timeout=timeout, trust_env=False, verify=trusted_authorities())

    def get(self, url: str) -> dict[str, object] | None:
        """The JSON object at a URL; None where the SEC has none (404).

        Raises:
            ConfigurationError: No user agent is set.
            UpstreamError: The SEC refused, or every attempt was answered with an error or incompletely.
            UnavailableError: The SEC could not be reached in any attempt.
        """
        if self._user_agent is None:
            raise ConfigurationError(NOT_DECLARED)
        return self._retries.call(lambda: self._attempt(url))

    def close(self) -> None:
        """Close every connection."""
        self._http.close()

    def _attempt(self, url: str) -> dict[str, object] | None:
        if self._limiter is not None:
            self._limiter.try_acquire("edgar")
        try:
            response = self._http.get(url)
        except httpx.TransportError as failure:
            EDGAR_REQUESTS.labels("unreachable").inc()
            raise TransientError(
                UnavailableError(
                    f"GET {url} could not be sent or answered ({type(failure).__name__}) in {self._retries.attempts} "
                    f"attempts; check the network and EDGAR_BASE_URL. Companies read before stay in the lake"
                )
            ) from failure
        if response.status_code == HTTPStatus.NOT_FOUND:
            EDGAR_REQUESTS.labels("unknown").inc()
            return None
        _check_refusal(response)
        body = _decode_body(response)
        EDGAR_REQUESTS.labels("ok").inc()
        return body


def _check_refusal(response: httpx.Response) -> None:
    """Raise for an answer that is none: the SEC sends its refusals as pages, some of them with status 200."""
    is_page = response.headers.get("Content-Type", "").startswith("text/html")
    if response.status_code == HTTPStatus.OK and not is_page:
        return
    sentence = f"GET {response.request.url} was answered {response.status_code}: {_quote(response.text)}"
    if TOO_FAST in response.text or response.status_code in TRANSIENT_STATUSES:
        EDGAR_REQUESTS.labels("refused" if TOO_FAST in response.text else "server_error").inc()
        raise TransientError(
            UpstreamError(
                f"{sentence}. The SEC allows 10 requests a second from one address, other programs included, and lifts "
                f"a block after ten minutes: lower EDGAR_REQUESTS_PER_SECOND if it happens again"
            ),
            read_retry_after(response.headers.get("Retry-After")),
        )
    EDGAR_REQUESTS.labels("refused").inc()
    advice = (
        "set EDGAR_USER_AGENT to your name and e-mail address" if UNDECLARED in response.text else "ask again later"
    )
    raise UpstreamError(f"{sentence}. What to do: {advice}")


def _decode_body(response: httpx.Response) -> dict[str, object]:
    try:
        body: object = json.loads(response.content)
    except ValueError as failure:
        EDGAR_REQUESTS.labels("unreadable").inc()
        raise TransientError(
            UpstreamError(
                f"GET {response.request.url} was answered with {len(response.content)} bytes that are no complete "
                f"JSON: {_quote(response.text)}. Nothing of it was stored; ask again"
            )
        ) from failure
    if not isinstance(body, dict):
        EDGAR_REQUESTS.labels("unreadable").inc()
        raise UpstreamError(f"GET {response.request.url} was answered with a JSON {type(body).__name__}, not an object")
    return cast("dict[str, object]", body)


def _quote(text: str) -> str:
    """The beginning of the answer for a message, in one line."""
    return repr(" ".join(text.split())[:QUOTED_CHARACTERS])


def _make_limiter(requests_per_second: float) -> Limiter | None:
    if requests_per_second == 0:
        return None
    bucket = InMemoryBucket([Rate(1, round(SECOND_MILLISECONDS / requests_per_second))])
    return Limiter(SingleBucketFactory(bucket, schedule_leak=False))  # put() leaks; no thread is needed
