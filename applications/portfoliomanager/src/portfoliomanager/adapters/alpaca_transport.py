# pyright: reportUnknownMemberType=false, reportPrivateUsage=false
# alpaca-py is partly typed, and its retry is a private field
"""alpaca-py's client on the fund's terms: a timeout on every request, raw answers, and none of its own retries.

What a failed request means differs for a read and for a send: a read is asked again, a send may have been carried out.
"""

import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, cast, override

from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.exceptions import RequestException

from internal.errors import FundError, UnavailableError, UnresolvedOrderError, UpstreamError
from internal.http.retry_after import read_retry_after
from internal.retries import RetryPolicy, TransientError
from internal.trading.ports import RateLimitedError, RefusedOrderError

RETRIES = RetryPolicy()
UNIQUE_ID = "client_order_id must be unique"


class _TimedAdapter(HTTPAdapter):
    """requests' transport with a timeout; alpaca-py sets none."""

    def __init__(self, timeout_seconds: float) -> None:
        super().__init__()
        self._timeout_seconds = timeout_seconds

    @override
    def send(self, request: PreparedRequest, *arguments: Any, **options: Any) -> Response:
        return super().send(request, *arguments, **(options | {"timeout": self._timeout_seconds}))


class PatientTradingClient(TradingClient):
    """alpaca-py's client, which sends each request once and answers with what the broker sent.

    Its own retry repeats a POST after 429 and 504, and an order that had been accepted is then sent again. It is
    switched off for reads too: one place decides what is asked again. Answers stay raw: the client's enumerations
    refuse every word that the broker adds.
    """

    def __init__(self, key: str, secret: str, url: str, timeout_seconds: float) -> None:
        super().__init__(key, secret, url_override=url, raw_data=True)
        self._retry = 0
        self._session.trust_env = False  # a proxy or netrc of the environment must not see the keys
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _TimedAdapter(timeout_seconds))

    def fetch(self, path: str, parameters: Mapping[str, str] | None = None) -> object:
        """The JSON of a GET for which alpaca-py has no method, or one that asks for less."""
        return cast("object", self.get(path, dict(parameters or {})))


class BrokerRefusal(RefusedOrderError):  # noqa: N818 - the broker's own refusal; `status_code` and `code` say which
    """A 4xx answer with the broker's own code and message."""

    def __init__(self, detail: str, status_code: int, code: int) -> None:
        super().__init__(detail)
        self.status_code = status_code
        self.code = code


class DuplicateOrderError(UnresolvedOrderError):
    """The broker has an order under that id already; it has to be fetched."""


def read[Answer](what: str, call: Callable[[], Answer]) -> Answer:
    """The answer of a read, asked again while the broker limits, fails or answers unreadably.

    Raises UnavailableError (not reachable, rate limited), UpstreamError (answers wrongly) or BrokerRefusal for a 4xx,
    which the caller handles.
    """
    return RETRIES.call(lambda: _attempt(what, call))


def read_once[Answer](what: str, call: Callable[[], Answer]) -> Answer:
    """The answer of one request, for a caller that asks again itself; it raises what `read` raises."""
    try:
        return _attempt(what, call)
    except TransientError as failure:
        raise failure.error from failure


def _attempt[Answer](what: str, call: Callable[[], Answer]) -> Answer:
    try:
        return call()
    except APIError as error:
        raise _read_error(what, error) from error
    except RequestException as error:
        unreachable = UnavailableError(f"the broker cannot be reached for {what} ({type(error).__name__})")
        raise TransientError(unreachable) from error
    except (TypeError, KeyError, ValueError) as error:
        unreadable = UpstreamError(f"the broker's answer to {what} cannot be read ({type(error).__name__})")
        raise TransientError(unreadable) from error


def send[Answer](what: str, call: Callable[[], Answer]) -> Answer:
    """The answer of one send.

    Raises BrokerRefusal (the broker said no, and why: it does not exist), RateLimitedError (not
    sent), UpstreamError (keys refused), DuplicateOrderError, and UnresolvedOrderError for all else: a timeout, a reset,
    a 5xx or an unreadable answer of any status may hide an accepted order.
    """
    try:
        return call()
    except APIError as error:
        raise _send_error(what, error) from error
    except (RequestException, TypeError, KeyError, ValueError) as error:
        raise UnresolvedOrderError(f"the answer to {what} was lost ({type(error).__name__})") from error


def _read_error(what: str, error: APIError) -> FundError | TransientError:
    """What an error status means for a read."""
    status, message = _status(error), _message(error)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        limited = _rate_limited(what, error)
        return TransientError(limited, limited.retry_after)
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN} and not _code(error):
        return _keys_refused()
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT or message is None:
        return TransientError(UpstreamError(f"the broker answered {status} to {what}"))
    return BrokerRefusal(message, status, _code(error))


def _send_error(what: str, error: APIError) -> FundError:
    """What an error status means for a send: refused only where the answer says so, and why."""
    status, message = _status(error), _message(error)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _rate_limited(what, error)
    if message is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return UnresolvedOrderError(f"the broker answered {status} to {what}, which does not say what became of it")
    if status == HTTPStatus.UNAUTHORIZED or (status == HTTPStatus.FORBIDDEN and not _code(error)):
        return _keys_refused()
    if UNIQUE_ID in message:
        return DuplicateOrderError(f"{what}: {message}")
    return BrokerRefusal(message, status, _code(error))


def _rate_limited(what: str, error: APIError) -> RateLimitedError:
    """With the pause that the broker asks for: `Retry-After`, else `X-RateLimit-Reset`, which is Unix seconds."""
    response = cast("Response | None", error.response)
    pause = None if response is None else read_retry_after(response.headers.get("Retry-After"))
    if pause is None:
        pause = _seconds_until(None if response is None else response.headers.get("X-RateLimit-Reset"))
    return RateLimitedError(f"the broker limits requests ({what})", pause)


def _seconds_until(reset: str | None) -> float:
    """Seconds until the moment, Unix seconds; 0 when it has passed or cannot be read."""
    try:
        return max(float(reset or 0) - time.time(), 0.0)
    except ValueError:
        return 0.0


def _keys_refused() -> UpstreamError:
    return UpstreamError("the broker refuses our keys: check ALPACA_API_KEY_ID, ALPACA_API_SECRET, ALPACA_BASE_URL")


def _status(error: APIError) -> int:
    return int(cast("int | None", error.status_code) or HTTPStatus.INTERNAL_SERVER_ERROR)


def _message(error: APIError) -> str | None:
    """The broker's sentence; None when the answer holds none that can be read."""
    message = _body(error).get("message")
    return message if isinstance(message, str) and message else None


def _code(error: APIError) -> int:
    code = _body(error).get("code")
    return code if isinstance(code, int) else 0


def _body(error: APIError) -> Mapping[str, object]:
    """The error's JSON object; empty when it is none."""
    response = cast("Response | None", error.response)
    try:
        body = cast("object", response.json()) if response is not None else None
    except ValueError:
        return {}
    return cast("Mapping[str, object]", body) if isinstance(body, dict) else {}
