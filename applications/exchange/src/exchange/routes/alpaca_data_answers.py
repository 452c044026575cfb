"""How Alpaca's data API answers: its key pair, its request limit, and refusals that are one sentence."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from exchange.request_limit import RequestLimit
from exchange.routes.alpaca import WrongKeyPairError


class DataRefusedError(Exception):
    """A refusal in the data API's words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class AlpacaDataRoute(APIRoute):
    """A route within the request limit that answers a refusal, its own or FastAPI's, as the data API does."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with the limit before it and refusals turned into bodies."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            allowance = _limit_of(request).take()
            if allowance is not None and allowance.exceeded:
                return JSONResponse({"message": "too many requests."}, 429, allowance.headers())
            try:
                response = await handle(request)
            except DataRefusedError as refusal:
                response = JSONResponse({"message": refusal.message}, refusal.status)
            except WrongKeyPairError:
                response = JSONResponse({"message": "forbidden."}, 403)
            except RequestValidationError as error:
                first = error.errors()[0]
                response = JSONResponse({"message": f"invalid {first['loc'][-1]}: {first['msg']}"}, 400)
            response.headers.update(allowance.headers() if allowance else {})
            return response

        return answer


def _limit_of(request: Request) -> RequestLimit:
    found = request.app.state.request_limit
    assert isinstance(found, RequestLimit)  # noqa: S101 - tells the type checker what the server wired
    return found
