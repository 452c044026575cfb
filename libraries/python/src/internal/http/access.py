"""Decides about every request before it is answered: for whom it is, from where it may come, and who may send it."""

from collections.abc import Collection, Mapping
from hmac import compare_digest
from typing import Final
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from internal.errors import ForbiddenError, MisdirectedRequestError, UnauthorizedError
from internal.http.bearer import MUTATING_METHODS, bearer_of
from internal.http.roles import Role, derive_reader_token
from internal.http.sessions import EndedSessions, Sessions
from internal.modes import is_loopback
from internal.pages.static_files import PREFIX

FORMS: Final = "/forms/"  # routes of the pages' forms: a session counts, and each asks for a CSRF token
SIGN_IN: Final = "/sign-in"
OPEN_PATHS: Final = frozenset({"/health", "/ready", "/metrics", SIGN_IN, f"{FORMS}sign-in"})
PROXY_HEADERS: Final = (
    *("forwarded", "via", "x-real-ip", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"),
    *("x-forwarded-port", "x-forwarded-server", "cf-connecting-ip", "true-client-ip"),
)
OTHER_PAGES: Final = frozenset({"cross-site", "same-site"})  # Sec-Fetch-Site; another port is the same site


class Access:
    """Who may send what to one service; `asks_for_token` is whether a token is configured.

    Args:
        token: The owner's; where it is empty everybody who reaches the service owns it.
        reader_paths: Where a reader may also send what changes something; their routes look at the role themselves.
        ended: The sessions that were ended, of a service with a sign-in.
    """

    def __init__(self, token: str, reader_paths: Collection[str] = (), ended: EndedSessions | None = None) -> None:
        self.asks_for_token, self._reader_paths = bool(token), frozenset(reader_paths)
        self._tokens = {Role.OWNER: token.encode(), Role.READER: derive_reader_token(token).encode()}
        self.sessions = Sessions(token, ended)

    def admit(self, scope: Scope) -> Role | None:
        """The role of whoever sends the request; None only where none is needed.

        Raises:
            MisdirectedRequestError: It names a host that is not this machine.
            UnauthorizedError: It carries no token and no session, and is no reading from this machine.
            ForbiddenError: A page of another address sent it, or a reader asks for a change.
        """
        headers = Headers(scope=scope)
        _require_own_host(scope, headers)
        _require_own_page(scope["method"], headers)
        role, path = self._find_role(scope, headers), str(scope["path"])
        if is_open(path):
            return role
        if role is None:
            raise UnauthorizedError(
                "send `Authorization: Bearer <FUND_API_TOKEN>`; reading needs no token on the service's own machine"
            )
        if role is Role.READER and _changes(scope) and path not in self._reader_paths and not path.startswith(FORMS):
            raise ForbiddenError("a reader's token changes nothing here but the trading state, to a stricter one")
        return role

    def role_of_token(self, given: str) -> Role | None:
        """The role that a token gives, compared in constant time; None for a wrong one."""
        return next((role for role, right in self._tokens.items() if compare_digest(given.encode(), right)), None)

    def _find_role(self, scope: Scope, headers: Mapping[str, str]) -> Role | None:
        if not self.asks_for_token:
            return Role.OWNER
        if role := self.role_of_token(bearer_of(headers)):
            return role
        reads = not _changes(scope)
        if (reads or scope["path"].startswith(FORMS)) and (session := self.sessions.read(headers)):
            return session.role
        return Role.READER if reads and _comes_from_this_machine(scope, headers) else None


def is_open(path: str) -> bool:
    """Whether everybody may ask for it."""
    return path in OPEN_PATHS or path.startswith(f"{PREFIX}/")


def role_of(scope: Scope) -> Role | None:
    """The role that the request was admitted with."""
    role: Role | None = scope["state"]["role"]
    return role


def split_url(given: str) -> SplitResult | None:
    """The parts of what somebody sends as a URL; None where it is none."""
    try:
        return urlsplit(given)
    except ValueError:
        return None


def _changes(scope: Scope) -> bool:
    return scope["method"] in MUTATING_METHODS


def _client_host(scope: Scope) -> str:
    return scope["client"][0] if scope.get("client") else ""


def _comes_from_this_machine(scope: Scope, headers: Mapping[str, str]) -> bool:
    """Whether a program here asks for itself, and is no proxy that hides for whom it asks.

    A proxy on this machine that names neither the public Host nor the person's address is known by another of its
    headers, or by HTTP/1.0, which browsers and the fund's own programs do not speak. One that speaks HTTP/1.1 and adds
    no header (a newer nginx as it comes) cannot be recognized: docs/operations/signing_in.md says what it must send.
    """
    is_proxy = scope["http_version"] == "1.0" or any(name in headers for name in PROXY_HEADERS)
    return is_loopback(_client_host(scope)) and not is_proxy


def _require_own_host(scope: Scope, headers: Mapping[str, str]) -> None:
    """Refuse a name of another host in what comes from this machine.

    A page of the internet that a browser on this machine shows can have a name that leads here (DNS rebinding).
    """
    named = split_url(f"//{headers.get('host') or 'localhost'}")  # HTTP/1.0 names none
    name = named.hostname if named else None
    if is_loopback(_client_host(scope)) and not is_loopback(name or ""):
        raise MisdirectedRequestError("the request's Host is not a name of this machine: use 127.0.0.1 or localhost")


def _require_own_page(method: str, headers: Mapping[str, str]) -> None:
    """Refuse what a browser sends for a page of another address, but that a person follows a link to here.

    Browsers say it in `Sec-Fetch-Site` (W3C Fetch Metadata), older ones in `Origin`; other programs send neither.
    """
    origin = headers.get("origin")
    foreign = headers.get("sec-fetch-site") in OTHER_PAGES
    follows_link = method == "GET" and headers.get("sec-fetch-mode") == "navigate"
    sender = split_url(origin or "")
    is_other = origin is not None and (sender is None or sender.netloc != headers.get("host"))
    if (foreign and not follows_link) or is_other:
        raise ForbiddenError("a page of another address sent this request: use the fund's own pages")
