"""alpaca-py's client on our terms: a timeout on every request, and none of its own retries.

Knows how the client fails and what each failure means for a read and for a send. Knows no order and no position.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, override

from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient
from pydantic import ValidationError
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.exceptions import JSONDecodeError, RequestException
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from internal.errors import FundError, UnavailableError, UnresolvedOrderError, UpstreamError
from portfoliomanager.ports import RefusedOrderError

ATTEMPTS = 4
FIRST_PAUSE = 0.2  # seconds
LONGEST_PAUSE = 8.0  # seconds
LONGEST_RETRY_AFTER = 60.0  # seconds that a broker may ask us to wait; it gets no more


class _TimedAdapter(HTTPAdapter):
    """requests' transport with a timeout; alpaca-py sets none."""

    def __init__(self, timeout_seconds: float) -> None:
        super().__init__()
        self._timeout_seconds = timeout_seconds

    @override
    def send(self, request: PreparedRequest, **arguments: Any) -> Response:  # type: ignore[override]
        return super().send(request, **(arguments | {"timeout": self._timeout_seconds}))


class PatientTradingClient(TradingClient):
    """alpaca-py's client, which sends each request once.

    Its own retry repeats a POST after 429 and 504, and an order that had been accepted is then sent again. It is
    switched off for reads too: one place decides what is asked again.
    """

    def __init__(self, key: str, secret: str, url: str, timeout_seconds: float) -> None:
        super().__init__(key, secret, url_override=url)
        self._retry = 0
        self._session.trust_env = False  # a proxy or netrc of the environment must not see the keys
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _TimedAdapter(timeout_seconds))


class RateLimitedError(UnavailableError):
    """The broker said 429: the request was not carried out. `retry_after` is in seconds."""

    def __init__(self, detail: str, retry_after: float) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class _TransientError(UpstreamError):
    """A read that failed in a way that another attempt may mend."""


def _wait(state: RetryCallState) -> float:
    """What the broker asked for, or exponentially longer pauses."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, RateLimitedError) else 0.0
    return max(asked, wait_exponential_jitter(initial=FIRST_PAUSE, max=LONGEST_PAUSE, jitter=FIRST_PAUSE)(state))


def _patiently[Answer](call: Callable[[], Answer], *kinds: type[FundError]) -> Answer:
    retrying = Retrying(
        retry=retry_if_exception_type(kinds), wait=_wait, stop=stop_after_attempt(ATTEMPTS), reraise=True
    )
    return retrying(call)


def read[Answer](what: str, call: Callable[[], Answer]) -> Answer:
    """The answer of a read, tried again while the broker limits, stumbles or garbles.

    Raises UnavailableError (not reachable, rate limited), UpstreamError (answers wrongly) or RefusedOrderError for a
    4xx, which the caller knows how to take.
    """

    def once() -> Answer:
        try:
            return call()
        except APIError as error:
            raise _judged(what, error, _TransientError) from error
        except (JSONDecodeError, ValidationError, TypeError, KeyError, ValueError) as error:
            raise _TransientError(f"the broker's answer to {what} cannot be read ({type(error).__name__})") from error
        except RequestException as error:
            raise UnavailableError(f"the broker cannot be reached for {what} ({type(error).__name__})") from error

    return _patiently(once, RateLimitedError, _TransientError, UnavailableError)


def send[Answer](what: str, call: Callable[[], Answer]) -> Answer:
    """The answer of a send, which is repeated only when the broker said 429: then it did nothing.

    Raises RefusedOrderError (4xx: it does not exist), RateLimitedError (not sent), UpstreamError (keys refused) and
    UnresolvedOrderError for all else: a timeout, a reset, a 5xx or an unreadable answer may hide an accepted order.
    """

    def once() -> Answer:
        try:
            return call()
        except APIError as error:
            raise _judged(what, error, UnresolvedOrderError) from error
        except (RequestException, ValidationError, TypeError, KeyError, ValueError) as error:
            raise UnresolvedOrderError(f"the answer to {what} was lost ({type(error).__name__})") from error

    return _patiently(once, RateLimitedError)


def _judged(what: str, error: APIError, server_fault: type[UpstreamError]) -> FundError:
    """What an error status means."""
    status = int(error.status_code or HTTPStatus.INTERNAL_SERVER_ERROR)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimitedError(f"the broker limits requests ({what})", _retry_after(error))
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN} and not _body(error).get("code"):
        return UpstreamError("the broker refuses our keys: check ALPACA_API_KEY_ID, ALPACA_API_SECRET, ALPACA_BASE_URL")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return server_fault(f"the broker answered {status} to {what}")
    body = _body(error)
    return BrokerRefusal(str(body.get("message") or f"answered {status}"), status, int(body.get("code") or 0))


class BrokerRefusal(RefusedOrderError):  # noqa: N818 - the broker's own no, told apart by `status_code` and `code`
    """A 4xx answer with the broker's own code and message."""

    def __init__(self, detail: str, status_code: int, code: int) -> None:
        super().__init__(detail)
        self.status_code = status_code
        self.code = code


def _retry_after(error: APIError) -> float:
    header = error.response.headers.get("Retry-After", "") if error.response is not None else ""
    return min(float(header), LONGEST_RETRY_AFTER) if header.isdigit() else 0.0


def _body(error: APIError) -> dict[str, Any]:
    """The error's JSON object; empty when it is none."""
    try:
        body = error.response.json() if error.response is not None else {}
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
