"""The vendors' bodies of refusals, and which statuses of each interface's operations have them in the OpenAPI document.

What the vendors' routes do not answer themselves, such as a body that is too large, stays a problem (RFC 9457).
"""

from typing import Any

from pydantic import BaseModel, ConfigDict

type Responses = dict[int | str, dict[str, Any]]


class AlpacaRefusal(BaseModel):
    """A refusal of the trading API: the code's first three digits are the HTTP status. Some have more fields."""

    model_config = ConfigDict(extra="allow")

    code: int
    message: str


class AlpacaMessage(BaseModel):
    """A refusal that is a sentence alone: a wrong key pair, and every refusal of the data API."""

    message: str


class LocateRefusal(BaseModel):
    """A refusal about locates: a code in words; one of the trading API itself has a number."""

    code: str | int
    message: str


class PolygonRefusal(BaseModel):
    """A refusal of Polygon: the sentence is under `error` where `status` is ERROR, else under `message`."""

    status: str
    request_id: str
    error: str = ""
    message: str = ""


def _refusals(model: type[BaseModel], **descriptions: str) -> Responses:
    """The responses with a model, by status: `_refusals(Model, s404="Not found")`."""
    return {int(name[1:]): {"model": model, "description": text} for name, text in descriptions.items()}


ALPACA: Responses = _refusals(
    AlpacaRefusal,
    s400="The body is no JSON object",
    s403="Forbidden: buying power, quantity, or a suspended account",
    s404="Not found",
    s422="A field is invalid, or the request cannot be carried out",
    s429="Too many requests",
    s500="Internal error",
    s504="Request timed out",
) | _refusals(AlpacaMessage, s401="The key pair is not the account's")

LOCATES: Responses = ALPACA | _refusals(
    LocateRefusal, s400="The request is invalid", s422="The symbol cannot be located, or a field is invalid"
)

ALPACA_DATA: Responses = _refusals(
    AlpacaMessage,
    s400="A parameter is invalid",
    s403="The key pair is not the account's, or the plan has no such data",
    s429="More requests than the limit of a minute",
    s500="Internal error",
    s504="Request timed out",
) | _refusals(AlpacaRefusal, s404="The path is no endpoint")

POLYGON: Responses = _refusals(
    PolygonRefusal,
    s400="A parameter is invalid",
    s401="The key is missing or unknown",
    s403="The plan has no such data",
    s404="Not found",
    s429="Too many requests",
    s500="Internal error",
    s504="Request timed out",
)

EDGAR: Responses = {
    403: {"content": {"text/html": {}}, "description": "The user agent names no e-mail address, or too many requests"},
    404: {"content": {"application/xml": {}}, "description": "EDGAR has no such file"},
    429: {"content": {"text/html": {}}, "description": "Too many requests a second"},
}
