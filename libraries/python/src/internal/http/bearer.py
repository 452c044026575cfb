"""The bearer token of requests: how it is sent, and how it is read."""

import hmac
from collections.abc import Mapping

from internal.errors import UnauthorizedError

MUTATING_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def bearer_headers(token: str) -> dict[str, str]:
    """The header that carries the token; no header for an empty one."""
    return {"Authorization": f"Bearer {token}"} if token else {}


def bearer_of(headers: Mapping[str, str]) -> str:
    """The token that the headers carry; empty where they carry none."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else ""


def require_bearer_token(headers: Mapping[str, str], token: str) -> None:
    """Raise UnauthorizedError unless the headers carry the token, or the token is empty: then none is needed."""
    if token and not hmac.compare_digest(bearer_of(headers).encode(), token.encode()):
        raise UnauthorizedError("this request changes things: send `Authorization: Bearer <FUND_API_TOKEN>`")
