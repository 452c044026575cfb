"""How Polygon answers: its error bodies, its key, and where a request finds the market and the clock.

Vendor's pages: https://polygon.io/docs/rest/quickstart.
"""

import hmac
from collections.abc import Callable, Coroutine
from datetime import date, datetime
from typing import Any, Protocol, cast

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel

from exchange.ports import FaultRepository
from exchange.responses.polygon import request_id
from exchange.routes.dependencies import TheConfiguration
from internal.venue.clock import NEW_YORK
from internal.venue.market.protocol import MarketData


class Clock(Protocol):
    """The exchange's clock as far as market data needs it."""

    def now(self) -> datetime:
        """The moment, UTC."""
        ...

    def last_closed_session(self) -> date:
        """The latest session whose close has passed."""
        ...


class Exchange(Protocol):
    """What `request.app.state.exchange` offers to these routes."""

    @property
    def market(self) -> MarketData:
        """Listings, prices and corporate actions."""
        ...

    @property
    def clock(self) -> Clock:
        """The clock."""
        ...

    @property
    def faults(self) -> FaultRepository:
        """Injected faults, and how the vendor states corporate actions."""
        ...


class PolygonError(Exception):
    """A refusal in the vendor's words: the HTTP status, the body's `status` and its sentence.

    The sentence is under `error` where `status` is ERROR, else under `message`.
    """

    def __init__(self, http_status: int, sentence: str, status: str = "ERROR") -> None:
        super().__init__(sentence)
        self.http_status = http_status
        self.body = {
            "status": status,
            "request_id": request_id(),
            "error" if status == "ERROR" else "message": sentence,
        }


class PolygonRoute(APIRoute):
    """A route that answers a refusal, its own or FastAPI's, with the vendor's body instead of problem details."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with refusals turned into bodies."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except PolygonError as error:
                refusal = error
            except RequestValidationError as error:
                first = error.errors()[0]
                refusal = PolygonError(400, f"Invalid parameter '{first['loc'][-1]}': {first['msg']}")
            return JSONResponse(refusal.body, refusal.http_status)

        return answer


def write_body(body: BaseModel) -> Response:
    """The model as JSON in one pass, without what is unknown: a session's bars of all tickers are 8,000 rows."""
    return Response(body.model_dump_json(by_alias=True, exclude_none=True), media_type="application/json")


async def require_key(request: Request, configuration: TheConfiguration) -> None:
    """Every caller brings the key, as `Authorization: Bearer KEY` or `?apiKey=KEY`.

    Raises PolygonError 401 for none and for a wrong one. Where no key is configured, any that a vendor could have given
    out is accepted: one without blanks.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    key = token if scheme.lower() == "bearer" else request.query_params.get("apiKey", "")
    if not key.strip():
        raise PolygonError(401, "API Key was not provided")
    expected = configuration.exchange_market_data_key.get_secret_value()
    known = hmac.compare_digest(key.encode(), expected.encode()) if expected else _could_be_key(key.strip())
    if not known:
        raise PolygonError(401, "Unknown API Key")


def _could_be_key(key: str) -> bool:
    return key.isprintable() and " " not in key


def exchange_of(request: Request) -> Exchange:
    """The market and the clock that the application was wired with."""
    return cast("Exchange", request.app.state.exchange)


def today(request: Request) -> date:
    """The day in New York on the exchange's clock."""
    return exchange_of(request).clock.now().astimezone(NEW_YORK).date()
