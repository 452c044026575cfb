"""Sessions of people who have signed in on the pages: signed cookies, and the CSRF tokens of their forms.

Nothing is stored: what signs them follows from the fund's token, so that every process of a service takes the same
sessions, and a new token ends all of them.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fastapi.responses import Response
from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.requests import cookie_parser

from internal.errors import ForbiddenError
from internal.http.roles import Role

COOKIE: Final = "fund_session"
SESSION_SECONDS: Final = 12 * 60 * 60
NO_SESSION: Final = ""  # the identity of whoever has not signed in


@dataclass(frozen=True)
class Session:
    """Somebody who has signed in; `identity` is random and new with every sign-in."""

    role: Role
    identity: str


class Sessions:
    """Makes and reads the cookies and CSRF tokens of one service.

    Args:
        token: The fund's token; where it is empty, the key is random and ends with the process.
    """

    def __init__(self, token: str) -> None:
        key = token or secrets.token_urlsafe(32)
        self._cookies = URLSafeTimedSerializer(key, salt="session")
        self._csrf = URLSafeTimedSerializer(key, salt="csrf")

    def start(self, response: Response, role: Role, *, secure: bool) -> None:
        """Sign somebody in by a cookie; `secure` where the page came over TLS."""
        value = self._cookies.dumps([role.value, secrets.token_urlsafe(16)])
        response.set_cookie(
            COOKIE, value, max_age=SESSION_SECONDS, httponly=True, samesite="strict", secure=secure, path="/"
        )

    def end(self, response: Response) -> None:
        """Sign out."""
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")

    def read(self, headers: Mapping[str, str]) -> Session | None:
        """The session of a request; None where there is none, it is too old, or it is forged."""
        value = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
        try:
            role, identity = self._cookies.loads(value, max_age=SESSION_SECONDS)
        except BadData:
            return None
        return Session(Role(role), str(identity))

    def make_csrf_token(self, headers: Mapping[str, str]) -> str:
        """What a form that this request's page shows has to carry."""
        return self._csrf.dumps(self._identity(headers))

    def require_csrf_token(self, headers: Mapping[str, str], given: str) -> None:
        """Raise ForbiddenError unless the form that sends `given` was shown by a page of the same session."""
        try:
            identity = self._csrf.loads(given, max_age=SESSION_SECONDS)
        except BadData:
            identity = None
        if identity != self._identity(headers):
            raise ForbiddenError("the form is too old, or from another page: load the page again, and repeat it")

    def _identity(self, headers: Mapping[str, str]) -> str:
        session = self.read(headers)
        return session.identity if session else NO_SESSION
