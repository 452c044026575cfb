"""The bearer token of requests that change something: how it is sent, and how it is checked."""

import hmac
from collections.abc import Mapping

from internal.errors import UnauthorizedError

MUTATING_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def bearer_headers(token: str) -> dict[str, str]:
    """The header that carries the token; no header for an empty one."""
    return {"Authorization": f"Bearer {token}"} if token else {}


def require_bearer_token(headers: Mapping[str, str], token: str) -> None:
    """Raise UnauthorizedError unless the headers carry the token, or the token is empty: then none is needed."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if token and not (scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())):
        raise UnauthorizedError("this request changes things: send `Authorization: Bearer <FUND_API_TOKEN>`")
