"""Answers every other path below the vendors' version prefixes as the vendor whose path it would be."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.convertors import PathConvertor, register_url_convertor

from exchange.responses.polygon import request_id
from exchange.vendor_paths import is_alpaca

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
ENDPOINT_NOT_FOUND = {"code": 40410000, "message": "endpoint not found"}


class AnyTextConvertor(PathConvertor):
    """The rest of a path with its line breaks, which Starlette's `path` does not match."""

    regex = "(?s:.*)"


register_url_convertor("any_text", AnyTextConvertor())
router = APIRouter(include_in_schema=False)


@router.api_route("/v1/{rest:any_text}", methods=METHODS)
@router.api_route("/v2/{rest:any_text}", methods=METHODS)
@router.api_route("/v3/{rest:any_text}", methods=METHODS)
@router.api_route("/vX/{rest:any_text}", methods=METHODS)
async def answer_unknown_path(request: Request, rest: str) -> JSONResponse:
    """404 in the vendor's own body."""
    if is_alpaca(request.url.path):
        return JSONResponse(ENDPOINT_NOT_FOUND, HTTPStatus.NOT_FOUND)
    body = {"status": "NOT_FOUND", "request_id": request_id(), "message": f"No resource at {rest}"}
    return JSONResponse(body, HTTPStatus.NOT_FOUND)
