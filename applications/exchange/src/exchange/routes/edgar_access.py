"""Who may ask EDGAR: a declared user agent, at most so many requests a second; refusals as the SEC words them.

The SEC's rules: https://www.sec.gov/about/webmaster-frequently-asked-questions#developers.
"""

import time
from collections import deque
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any, cast

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

from exchange.routes.dependencies import TheConfiguration

UNDECLARED = (
    "Your Request Originates from an Undeclared Automated Tool",
    "Please declare your traffic by updating your user agent to include company specific information.",
)
TOO_FAST = (
    "SEC.gov | Request Rate Threshold Exceeded",
    "Current guidelines limit users to a total of no more than 10 requests per second.",
)
NO_SUCH_KEY = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.'
    "</Message></Error>"
)
WINDOW_SECONDS = 1.0


class EdgarRefusal(Exception):  # noqa: N818 - an answer of the SEC, not a fault of the program
    """A refusal in the SEC's own words."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"EDGAR refuses with {response.status_code}")
        self.response = response


class EdgarRoute(APIRoute):
    """A route that answers a refusal with the SEC's page instead of problem details."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with refusals turned into pages."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except EdgarRefusal as refusal:
                return refusal.response

        return answer


class RequestRate:
    """The requests of the last second, on the machine's clock: the limit protects the server, not the market."""

    def __init__(self) -> None:
        self._answered: deque[float] = deque()

    def admits(self, limit: int) -> bool:
        """Whether one more request is within the limit; 0 is unlimited."""
        now = time.monotonic()
        while self._answered and now - self._answered[0] >= WINDOW_SECONDS:
            self._answered.popleft()
        if limit and len(self._answered) >= limit:
            return False
        self._answered.append(now)
        return True


async def require_access(request: Request, configuration: TheConfiguration) -> None:
    """Refuse a request without a declared user agent (a name and an e-mail address), and one that comes too fast."""
    if "@" not in request.headers.get("User-Agent", ""):
        raise EdgarRefusal(_page(UNDECLARED, HTTPStatus.FORBIDDEN))
    rate = cast("RequestRate", request.app.state.edgar_rate)
    if not rate.admits(configuration.exchange_edgar_requests_per_second):
        raise EdgarRefusal(_page(TOO_FAST, HTTPStatus(configuration.exchange_edgar_refusal_status)))


def missing_file() -> EdgarRefusal:
    """The refusal for a file that EDGAR does not have."""
    return EdgarRefusal(Response(NO_SUCH_KEY, HTTPStatus.NOT_FOUND, media_type="application/xml"))


def _page(text: tuple[str, str], status: HTTPStatus) -> Response:
    title, sentence = text
    return HTMLResponse(
        f"<html><head><title>{title}</title></head><body><h1>{title}</h1><p>{sentence}</p></body></html>", status
    )
