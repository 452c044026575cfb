"""Reads a response of a service of the fund: as a frame, or as the error that the service raised."""

from typing import cast

import httpx
import polars as pl

from internal.errors import FundError, InvalidRequestError, SchemaError, UpstreamError
from internal.http.frames import decode
from internal.http.problem_body import MEDIA_TYPE, TYPE_PREFIX


def _media_type(response: httpx.Response) -> str:
    return str(response.headers.get("content-type", "")).split(";")[0].strip().lower()


def _kinds(kind: type[FundError] = FundError) -> dict[str, type[FundError]]:
    """Every error class by its slug, those of other modules included."""
    below = {slug: found for child in kind.__subclasses__() for slug, found in _kinds(child).items()}
    return below if "slug" not in vars(kind) else {**below, kind.slug: kind}


def _where(response: httpx.Response) -> str:
    return f"{response.request.method} {response.request.url.copy_with(query=None, userinfo=None)}"


def raise_for_problem(response: httpx.Response) -> None:
    """Raise the FundError that a problem response names, with its detail; return for a 2xx response.

    A response that is not a problem, or one of an unknown type, raises UpstreamError.
    """
    if response.is_success:
        return
    problem = _problem(response)
    detail = str(problem.get("detail") or f"answered {response.status_code} without a reason")
    kind = _kinds().get(str(problem.get("type", "")).removeprefix(TYPE_PREFIX), UpstreamError)
    if issubclass(kind, SchemaError):
        raise kind(detail, [str(failure) for failure in _list(problem.get("errors"))])
    raise kind(detail if problem else f"{_where(response)} {detail}")


def _problem(response: httpx.Response) -> dict[str, object]:
    if _media_type(response) != MEDIA_TYPE:
        return {}
    try:
        body = response.json()
    except ValueError:
        return {}
    return cast("dict[str, object]", body) if isinstance(body, dict) else {}


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def read_frame_response(response: httpx.Response) -> pl.DataFrame:
    """The frame of a 2xx response; raises as `raise_for_problem` does, and UpstreamError for a body without a frame."""
    raise_for_problem(response)
    try:
        return decode(response.content, _media_type(response))
    except InvalidRequestError as error:
        raise UpstreamError(f"{_where(response)} did not answer with a frame: {error.detail}") from None
