"""The error that an answer of a service names: problem details (RFC 9457) become the error that was raised there."""

import json
from dataclasses import dataclass
from typing import cast

from internal.errors import FundError, SchemaError, UpstreamError
from internal.http.problem_names import MEDIA_TYPE, TYPE_PREFIX

SUCCESS = range(200, 300)


@dataclass(frozen=True)
class Answer:
    """An answer over HTTP.

    Attributes:
        status: Its status code.
        content_type: Its header `Content-Type`.
        content: Its body.
        where: The request's method and address, for messages; without a query, which may hold secrets.
    """

    status: int
    content_type: str
    content: bytes
    where: str

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return self.status in SUCCESS

    @property
    def media_type(self) -> str:
        """The content type without parameters, in lower case."""
        return self.content_type.split(";")[0].strip().lower()


def error_of(answer: Answer) -> FundError | None:
    """The error that a problem answer names, with its detail; None for a 2xx answer.

    An answer that is not a problem, or one of an unknown type, is an UpstreamError.
    """
    if answer.is_success:
        return None
    problem = _problem(answer)
    detail = str(problem.get("detail") or f"answered {answer.status} without a reason")
    kind = _kinds().get(str(problem.get("type", "")).removeprefix(TYPE_PREFIX), UpstreamError)
    if issubclass(kind, SchemaError):
        return kind(detail, [str(failure) for failure in _list(problem.get("errors"))])
    return kind(detail if problem else f"{answer.where} {detail}")


def _kinds(kind: type[FundError] = FundError) -> dict[str, type[FundError]]:
    """Every error class by its slug, those of other modules included."""
    below = {slug: found for child in kind.__subclasses__() for slug, found in _kinds(child).items()}
    return below if "slug" not in vars(kind) else {**below, kind.slug: kind}


def _problem(answer: Answer) -> dict[str, object]:
    if answer.media_type != MEDIA_TYPE:
        return {}
    try:
        body = json.loads(answer.content)
    except ValueError:
        return {}
    return cast("dict[str, object]", body) if isinstance(body, dict) else {}


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []
