"""Problem details (RFC 9457): the body of every response that is not 2xx."""

from typing import Any

from pydantic import BaseModel


class Problem(BaseModel):
    """The body of a problem: `type` names the kind, `detail` describes what happened and what to do."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[dict[str, Any] | str] | None = None
