"""Checks of Polygon's answers: the status, a complete JSON object, and a body that says that it is final."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast
from urllib.parse import urlencode, urlsplit

import urllib3

from datamanager.metrics import VENDOR_REQUESTS
from datamanager.ports import IncompleteAnswerError
from internal.errors import NotFoundError, UpstreamError
from internal.http.retry_after import read_retry_after
from internal.retries import TransientError

QUOTED_CHARACTERS = 120
DELAYED = "DELAYED"  # the status of a complete answer on a delayed plan
FINAL_STATUSES = ("OK", DELAYED)
TRANSIENT_STATUSES = frozenset({408, 429, 500, 502, 503, 504})


class UnknownTickerError(NotFoundError):
    """The vendor answered 404: it has no such ticker, or no such endpoint."""


class NotEntitledError(UpstreamError):
    """The vendor answered 403: the key's plan does not include the endpoint or the range."""


@dataclass(frozen=True)
class VendorAnswer:
    """A complete answer: what the vendor's clients read (`status`, `data`, `headers`) and the decoded body."""

    status: int
    data: bytes
    headers: Mapping[str, str]
    body: dict[str, object]


def check_answer(request: str, response: urllib3.BaseHTTPResponse, attempts: int, key: str) -> VendorAnswer:
    """The answer when it is complete.

    Raises:
        TransientError: It may be right when asked again.
        UnknownTickerError: The status is 404.
        NotEntitledError: The status is 403.
        UpstreamError: The vendor refused, or the body is not final.
    """
    _check_status(request, response, attempts, key)
    body = _decode_body(request, response.data, key)
    _check_envelope(request, body)
    return VendorAnswer(response.status, response.data, response.headers, body)


def describe_request(method: str, url: str, fields: Mapping[str, str] | None) -> str:
    """The request for an error message: method, URL without credentials, query."""
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, urlencode(fields or {})) if part)
    return f"{method} {parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}{'?' + query if query else ''}"


def _check_status(request: str, response: urllib3.BaseHTTPResponse, attempts: int, key: str) -> None:
    status = response.status
    if status == HTTPStatus.OK:
        return
    sentence = f"{request} was answered {status}: {_quote(response.data, key)}"
    if status in TRANSIENT_STATUSES:
        VENDOR_REQUESTS.labels("rate_limited" if status == HTTPStatus.TOO_MANY_REQUESTS else "server_error").inc()
        raise TransientError(
            UpstreamError(f"{sentence}. {attempts} attempts were made. {_advise(status)}"),
            read_retry_after(response.headers.get("Retry-After")),
        )
    VENDOR_REQUESTS.labels("refused").inc()
    if status == HTTPStatus.NOT_FOUND:
        raise UnknownTickerError(sentence)
    if status == HTTPStatus.FORBIDDEN:
        raise NotEntitledError(f"{sentence}. {_advise(status)}")
    raise UpstreamError(f"{sentence}. {_advise(status)}")


def _decode_body(request: str, data: bytes, key: str) -> dict[str, object]:
    try:
        body: object = json.loads(data)
    except ValueError as failure:
        VENDOR_REQUESTS.labels("unreadable").inc()
        raise TransientError(
            UpstreamError(
                f"{request} was answered with {len(data)} bytes that are no complete JSON: {_quote(data, key)}. "
                f"Nothing of it was stored; ask again, and if it happens again, check POLYGON_BASE_URL and any proxy "
                f"in between"
            )
        ) from failure
    if not isinstance(body, dict):
        VENDOR_REQUESTS.labels("unreadable").inc()
        raise UpstreamError(f"{request} was answered with a JSON {type(body).__name__} instead of an object")
    return cast("dict[str, object]", body)


def _check_envelope(request: str, body: dict[str, object]) -> None:
    """Raise IncompleteAnswerError for a body that is not final, or that counts results without containing any."""
    status = body.get("status", "OK")
    if status not in FINAL_STATUSES:
        VENDOR_REQUESTS.labels("unreadable").inc()
        raise IncompleteAnswerError(
            f"{request} was answered with status {status!r}, not OK: the vendor has no final figures for it yet or the "
            f"plan does not include them. Ask again later"
        )
    expects_results = "results" in body or body.get("resultsCount", 0)
    if expects_results and body.get("results") is None:
        VENDOR_REQUESTS.labels("unreadable").inc()
        raise IncompleteAnswerError(
            f"{request} was answered without results although it counts {body.get('resultsCount', 'some')}; "
            f"nothing of it was stored, ask again"
        )


def _advise(status: int) -> str:
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return "Check POLYGON_API_KEY and what its plan includes"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "Lower POLYGON_REQUESTS_PER_MINUTE to the plan's rate limit"
    return "Ask again later; sessions ingested before stay in the lake"


def _quote(content: bytes, key: str) -> str:
    """The beginning of the answer for a message: one line, without the key that some servers echo."""
    text = " ".join(content.decode("utf-8", errors="replace").split())
    return repr(text.replace(key, "***")[:QUOTED_CHARACTERS])
