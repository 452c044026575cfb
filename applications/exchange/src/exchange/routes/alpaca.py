"""How the trading API answers: the key pair it asks for, and every refusal in Alpaca's own body.

Knows Alpaca's outer shapes. Knows no endpoint.
"""

import hmac
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from exchange.routes.wiring import TheConfiguration
from internal.errors import FundError
from internal.venue.rejections import AlpacaError, invalid, unauthorized


class AlpacaRoute(APIRoute):
    """A route that answers refusals with `code` and `message` instead of problem details."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with refusals turned into bodies."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except AlpacaError as error:
                return _refuse(error)
            except RequestValidationError as error:
                first = error.errors()[0]
                return _refuse(invalid(f"{first['loc'][-1]} is invalid: {first['msg']}"))
            except FundError as error:
                code = 50010000 if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else 42210000
                return _refuse(AlpacaError(error.status, code, error.detail))

        return answer


def _refuse(error: AlpacaError) -> JSONResponse:
    return JSONResponse(error.body, error.status)


async def require_key_pair(request: Request, configuration: TheConfiguration) -> None:
    """Lets the account's own key pair in. Raises AlpacaError 401 for any other."""
    pairs = (
        (request.headers.get("APCA-API-KEY-ID", ""), configuration.exchange_api_key_id),
        (request.headers.get("APCA-API-SECRET-KEY", ""), configuration.exchange_api_secret),
    )
    right = [hmac.compare_digest(given.encode(), secret.get_secret_value().encode()) for given, secret in pairs]
    if not all(right):
        raise unauthorized()
