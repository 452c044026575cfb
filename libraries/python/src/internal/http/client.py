"""Reads a response of a service of the fund: as a frame, or as the error that the service raised."""

import httpx
import polars as pl
from pydantic import BaseModel, ValidationError

from internal.errors import InvalidRequestError, UpstreamError
from internal.http.frames import decode
from internal.http.problem_errors import Answer, error_of


def raise_for_problem(response: httpx.Response) -> None:
    """Raise the FundError that a problem response names, with its detail; return for a 2xx response.

    A response that is not a problem, or one of an unknown type, raises UpstreamError.
    """
    if response.is_success:
        return
    if (error := error_of(_as_answer(response))) is not None:
        raise error


def read_frame_response(response: httpx.Response) -> pl.DataFrame:
    """The frame of a 2xx response; raises as `raise_for_problem` does, and UpstreamError for a body without a frame."""
    raise_for_problem(response)
    return read_frame(_as_answer(response))


def read_frame(answer: Answer) -> pl.DataFrame:
    """The frame of a 2xx answer; raises UpstreamError for a body without a frame."""
    try:
        return decode(answer.content, answer.media_type)
    except InvalidRequestError as error:
        raise UpstreamError(f"{answer.where} did not answer with a frame: {error.detail}") from None


def parse_answer[Model: BaseModel](model: type[Model], response: httpx.Response) -> Model:
    """The JSON of a response as the model describes it; raises UpstreamError for any other."""
    try:
        return model.model_validate_json(response.content)
    except ValidationError as error:
        first = error.errors()[0]
        raise UpstreamError(
            f"{response.request.url.path} answered something else than expected: {first['msg']}"
        ) from error


def _as_answer(response: httpx.Response) -> Answer:
    where = f"{response.request.method} {response.request.url.copy_with(query=None, userinfo=None)}"
    return Answer(response.status_code, str(response.headers.get("content-type", "")), response.content, where)
