"""Sessions of people who have signed in on the pages: signed cookies, and the CSRF tokens of their forms.

What signs them follows from the fund's token, so that every process of a service takes the same sessions, and a new
token ends all of them. Stored is only which ones were ended by signing out.
"""

import asyncio
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from fastapi.responses import Response
from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.requests import cookie_parser

from internal.errors import ForbiddenError
from internal.http.roles import Role

COOKIE: Final = "fund_session"
REFRESH_SECONDS: Final = 3.0  # a page waits no longer
SESSION_SECONDS: Final = 12 * 60 * 60
NO_SESSION: Final = ""  # the identity of whoever has not signed in


@dataclass(frozen=True)
class Session:
    """Somebody who has signed in; `identity` is random and new with every sign-in."""

    role: Role
    identity: str


class EndedSessions(Protocol):
    """The sessions that were ended by signing out, for every process of a service, and after a restart."""

    def add(self, identity: str) -> None:
        """End a session. Raises UnavailableError when that cannot be stored."""
        ...

    def is_old(self) -> bool:
        """Whether other processes may have ended sessions since the last `refresh`."""
        ...

    def refresh(self) -> None:
        """Read what all processes have stored; it blocks, and logs what fails."""
        ...

    def require_known(self) -> None:
        """Raise UnavailableError where that was never possible."""
        ...

    def __contains__(self, identity: str) -> bool:
        """Whether the session was ended, as far as is known since the last `refresh`."""
        ...


class Sessions:
    """Makes and reads the cookies and CSRF tokens of one service.

    Args:
        token: The fund's token; where it is empty, the key is random and ends with the process.
        ended: Of a service with a sign-in; without it no session counts.
    """

    def __init__(self, token: str, ended: EndedSessions | None = None) -> None:
        self._ended = ended
        key = token or secrets.token_urlsafe(32)
        self._cookies = URLSafeTimedSerializer(key, salt="session")
        self._csrf = URLSafeTimedSerializer(key, salt="csrf")

    def start(self, response: Response, role: Role, *, secure: bool) -> None:
        """Sign somebody in by a cookie; `secure` where the page came over TLS."""
        value = self._cookies.dumps([role.value, secrets.token_urlsafe(16)])
        response.set_cookie(
            COOKIE, value, max_age=SESSION_SECONDS, httponly=True, samesite="strict", secure=secure, path="/"
        )

    def end(self, headers: Mapping[str, str], response: Response) -> None:
        """Sign out: the cookie is forgotten, and a copy of it is no session any more. Raises UnavailableError."""
        session = self.read(headers)
        if self._ended is not None and session is not None:
            self._ended.add(session.identity)
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")

    async def refresh(self, headers: Mapping[str, str]) -> None:
        """Before a request with a session is looked at: learn which sessions were ended elsewhere.

        A storage that takes too long is not waited for: what was read before counts on. Raises UnavailableError where
        nothing ever was.
        """
        if self._ended is not None and self._ended.is_old() and self._read_signed(headers) is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.to_thread(self._ended.refresh), REFRESH_SECONDS)
            self._ended.require_known()

    def read(self, headers: Mapping[str, str]) -> Session | None:
        """The session of a request; None where there is none, it is too old, it is forged, or it was ended."""
        session = self._read_signed(headers)
        is_over = session is None or self._ended is None or session.identity in self._ended
        return None if is_over else session

    def _read_signed(self, headers: Mapping[str, str]) -> Session | None:
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
