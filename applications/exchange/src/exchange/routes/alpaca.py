"""How the trading API answers: the key pair that it requires, and every refusal in Alpaca's own body."""

import hmac
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from exchange.routes.dependencies import TheConfiguration
from internal.errors import FundError
from internal.venue.rejections import RefusalReason, RequestRefusedError, invalid_field

REFUSALS = {
    RefusalReason.MALFORMED_BODY: (400, 40010000),
    RefusalReason.INVALID_FIELD: (422, 40010001),
    RefusalReason.DUPLICATE_CLIENT_ORDER_ID: (422, 40010001),
    RefusalReason.UNPROCESSABLE: (422, 42210000),
    RefusalReason.NOT_SHORTABLE: (422, 42210000),
    RefusalReason.TRADING_SUSPENDED: (403, 40310000),
    RefusalReason.INSUFFICIENT_BUYING_POWER: (403, 40310000),
    RefusalReason.INSUFFICIENT_QUANTITY: (403, 40310000),
    RefusalReason.FORBIDDEN: (403, 40310000),
    RefusalReason.NOT_FOUND: (404, 40410000),
}
INTERNAL_ERROR, INVALID_REQUEST = 50010000, 42210000


class WrongKeyPairError(Exception):
    """A key pair that is not the account's."""


class AlpacaRoute(APIRoute):
    """A route that answers refusals with `code` and `message` instead of problem details."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with refusals turned into bodies."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestRefusedError as refusal:
                return _refuse(refusal)
            except RequestValidationError as error:
                first = error.errors()[0]
                return _refuse(invalid_field(f"{first['loc'][-1]} is invalid: {first['msg']}"))
            except WrongKeyPairError:
                return JSONResponse({"message": "unauthorized."}, HTTPStatus.UNAUTHORIZED)
            except FundError as error:
                code = INTERNAL_ERROR if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else INVALID_REQUEST
                return JSONResponse({"code": code, "message": error.detail}, error.status)

        return answer


def refusal_status(refusal: RequestRefusedError) -> int:
    """The HTTP status with which Alpaca refuses."""
    return REFUSALS[refusal.reason][0]


def refusal_body(refusal: RequestRefusedError) -> dict[str, str | int]:
    """Alpaca's body of a refusal: `code`, `message`, and what the real one adds to them."""
    return {"code": REFUSALS[refusal.reason][1], "message": refusal.message, **refusal.details}


def _refuse(refusal: RequestRefusedError) -> JSONResponse:
    return JSONResponse(refusal_body(refusal), refusal_status(refusal))


async def require_key_pair(request: Request, configuration: TheConfiguration) -> None:
    """Accepts the account's own key pair. Raises WrongKeyPairError for any other."""
    pairs = (
        (request.headers.get("APCA-API-KEY-ID", ""), configuration.exchange_api_key_id),
        (request.headers.get("APCA-API-SECRET-KEY", ""), configuration.exchange_api_secret),
    )
    right = [hmac.compare_digest(given.encode(), secret.get_secret_value().encode()) for given, secret in pairs]
    if not all(right):
        raise WrongKeyPairError
