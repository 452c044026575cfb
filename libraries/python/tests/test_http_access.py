"""Who may send what: tokens of owner and reader, sessions, forms, this machine and others, pages of other addresses."""

import asyncio
import base64
import hashlib
import hmac
import socket
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import SecretStr

from internal.errors import UnavailableError
from internal.http import sessions
from internal.http.access import role_of
from internal.http.forms import access_of, make_form_router
from internal.http.roles import Role, derive_reader_token
from internal.http.run import make_config
from internal.http.service import create_service
from internal.http.sessions import COOKIE, EndedSessions
from libraries.python.tests.loopback import serving

if TYPE_CHECKING:
    from starlette.types import ASGIApp

OWNER, READER = "the-owner's-token", derive_reader_token("the-owner's-token")
HERE, ELSEWHERE = "127.0.0.1", "203.0.113.7"  # RFC 5737


class EndedInMemory:
    """The sessions that were ended, of one process; those that `elsewhere` ended are known after a refresh."""

    def __init__(self) -> None:
        self.known, self.elsewhere, self.is_away, self.seconds = set[str](), set[str](), False, 0.0

    def add(self, identity: str) -> None:
        """End a session."""
        self.known.add(identity)

    def is_old(self) -> bool:
        """Each request asks."""
        return True

    def refresh(self) -> None:
        """Read what was ended elsewhere, once the storage answers."""
        time.sleep(self.seconds)
        self.known |= self.elsewhere

    def require_known(self) -> None:
        """Raise where nothing was ever read."""
        if self.is_away:
            raise UnavailableError("the storage is away")

    def __contains__(self, identity: str) -> bool:
        return identity in self.known


@asynccontextmanager
async def nothing(_application: FastAPI) -> AsyncGenerator[None]:
    """No components."""
    yield


def make_application(token: str = OWNER, ended: EndedSessions | None = None) -> FastAPI:
    """A service with a page, a form, a sign-in, and two routes that change something."""
    service = create_service(
        "guarded",
        "Is attacked",
        nothing,
        token=SecretStr(token),
        readiness={},
        reader_paths={"/trading-state"},
        problem_page=lambda _request, problem: HTMLResponse(problem.title, problem.status),
        ended_sessions=ended or EndedInMemory(),
    )
    forms = make_form_router()

    @service.get("/page")
    @service.post("/orders")
    @service.put("/trading-state")
    @forms.post("/halt")
    async def show_role(request: Request) -> str:
        return str(role_of(request.scope))

    @service.get("/csrf")
    async def show_csrf(request: Request) -> str:
        return access_of(request).sessions.make_csrf_token(request.headers)

    @service.get("/sign-in")
    async def sign_in(request: Request, token: str) -> Response:
        response = Response()
        if role := access_of(request).role_of_token(token):
            access_of(request).sessions.start(response, role, secure=True)
        return response

    @forms.post("/sign-out")
    def sign_out(request: Request) -> Response:
        response = Response()
        access_of(request).sessions.end(request.headers, response)
        return response

    service.include_router(forms)
    return service


def ask(  # noqa: PLR0913, PLR0917 - what a request is made of
    service: FastAPI,
    method: str,
    path: str,
    client: str = ELSEWHERE,
    headers: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
) -> httpx.Response:
    """One request of a client at that address."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(service, client=(client, 40_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8081") as http:
            return await http.request(method, path, headers=headers, data=form)

    return asyncio.run(send())


def bearer(token: str) -> dict[str, str]:
    """The header as RFC 6750 writes it."""
    return {"Authorization": f"Bearer {token}"}


def session(service: FastAPI, token: str) -> dict[str, str]:
    """The cookie of somebody who has signed in with that token."""
    answer = ask(service, "GET", f"/sign-in?token={token}")
    attributes = answer.headers["set-cookie"].lower()
    assert all(word in attributes for word in ("httponly", "samesite=strict", "secure"))
    return {"Cookie": f"{COOKIE}={answer.cookies[COOKIE]}"}


def test_the_reader_token_is_an_hmac_of_the_owners() -> None:
    """By the standard library, as the docstring says it; the owner's token is not in it."""
    digest = hmac.new(OWNER.encode(), b"pocketsizefund reader", hashlib.sha256).digest()
    assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == READER


@pytest.mark.parametrize(
    ("client", "token", "method", "path", "status"),
    [
        (HERE, None, "GET", "/page", 200),
        (HERE, None, "POST", "/orders", 401),
        (ELSEWHERE, None, "GET", "/health", 200),
        (ELSEWHERE, None, "GET", "/page", 401),
        (ELSEWHERE, None, "GET", "/openapi.json", 401),
        (ELSEWHERE, None, "GET", "/nowhere", 401),
        (ELSEWHERE, "wrong", "GET", "/page", 401),
        (ELSEWHERE, READER, "GET", "/page", 200),
        (ELSEWHERE, READER, "POST", "/orders", 403),
        (ELSEWHERE, READER, "PUT", "/trading-state", 200),
        (ELSEWHERE, OWNER, "GET", "/page", 200),
        (ELSEWHERE, OWNER, "POST", "/orders", 200),
        (HERE, OWNER + "x", "POST", "/orders", 401),
    ],
)
def test_tokens(client: str, token: str | None, method: str, path: str, status: int) -> None:
    """Reading is open on this machine alone; a reader changes the trading state alone; health is for everybody."""
    answer = ask(make_application(), method, path, client, bearer(token) if token else None)
    assert answer.status_code == status, answer.text
    assert OWNER not in answer.text
    assert READER not in answer.text


def test_without_a_token_whoever_reaches_the_service_owns_it() -> None:
    """It then listens on loopback alone (`internal.http.run`)."""
    assert ask(make_application(""), "POST", "/orders", HERE).json() == Role.OWNER


def test_a_person_is_led_to_the_sign_in() -> None:
    """A browser that asks for a page is redirected with where it wanted to go; another program gets the problem."""
    answer = ask(make_application(), "GET", "/page", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/page")
    assert ask(make_application(), "GET", "/page").headers["content-type"] == "application/problem+json"
    refused = ask(make_application(), "POST", "/orders", headers={"Accept": "text/html"} | bearer(READER))
    assert (refused.status_code, refused.text) == (403, "Forbidden")


def test_sessions() -> None:
    """A cookie reads as its role; it changes nothing but by forms; a forged one, or one of another token, is none."""
    service = make_application()
    owner, reader = session(service, OWNER), session(service, READER)
    assert ask(service, "GET", "/page", headers=owner).json() == Role.OWNER
    assert ask(service, "GET", "/page", headers=reader).json() == Role.READER
    assert ask(service, "POST", "/orders", headers=owner).status_code == 401
    assert ask(make_application("another"), "GET", "/page", headers=owner).status_code == 401
    forged = {"Cookie": owner["Cookie"][:-3] + "abc"}
    assert ask(service, "GET", "/page", headers=forged).status_code == 401
    assert ask(service, "GET", "/page", headers={"Cookie": f"{COOKIE}=; ; ="}).status_code == 401
    assert "set-cookie" not in ask(service, "GET", "/sign-in?token=wrong").headers


def test_who_signs_out_has_no_session_left() -> None:
    """A copy of the cookie is refused from then on, another session goes on, and so it is after a new start."""
    ended = EndedInMemory()
    service = make_application(ended=ended)
    leaving, another = session(service, OWNER), session(service, OWNER)
    token = ask(service, "GET", "/csrf", headers=leaving).json()
    assert ask(service, "POST", "/forms/sign-out", headers=leaving).status_code == 403
    answer = ask(service, "POST", "/forms/sign-out", headers=leaving, form={"csrf_token": token})
    assert 'fund_session=""' in answer.headers["set-cookie"]
    for running in (service, make_application(ended=ended)):
        assert ask(running, "GET", "/page", headers=leaving).status_code == 401
        assert ask(running, "POST", "/forms/halt", headers=leaving, form={"csrf_token": token}).status_code == 401
        assert ask(running, "GET", "/page", headers=another).json() == Role.OWNER


def test_a_session_that_another_process_ended_counts_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request asks first, not for long; where that was never known, no cookie counts, and a token still does."""
    ended, other = EndedInMemory(), EndedInMemory()
    service = make_application(ended=ended)
    leaving = session(service, OWNER)
    elsewhere = make_application(ended=other)
    token = ask(elsewhere, "GET", "/csrf", headers=leaving).json()
    assert ask(elsewhere, "POST", "/forms/sign-out", headers=leaving, form={"csrf_token": token}).status_code == 200
    ended.elsewhere = other.known
    assert ask(service, "GET", "/page", headers=leaving).status_code == 401
    ended.seconds = 0.1
    monkeypatch.setattr(sessions, "REFRESH_SECONDS", 0.001)
    assert ask(service, "GET", "/page", headers=session(service, OWNER)).json() == Role.OWNER
    ended.is_away = True
    assert ask(service, "GET", "/page", headers=leaving).status_code == 503
    for headers in (bearer(OWNER), bearer(OWNER) | leaving):
        assert ask(service, "GET", "/page", headers=headers).status_code == 200
    assert ask(service, "GET", "/page", headers=bearer("a guess") | leaving).status_code == 503
    assert ask(service, "GET", "/health", headers=leaving).status_code == 200


def test_no_session_counts_where_nobody_signs_in() -> None:
    """A browser sends the cookie to every port of a machine; only the service that can end it takes it."""
    cookie = session(make_application(), OWNER)
    plain = create_service("plain", "Has no pages", nothing, token=SecretStr(OWNER), readiness={})
    assert ask(plain, "GET", "/openapi.json", headers=cookie).status_code == 401
    assert ask(plain, "GET", "/openapi.json", headers=bearer(READER)).status_code == 200


@pytest.mark.parametrize("declared", [True, False])
def test_forms_are_small(declared: bool) -> None:  # noqa: FBT001 - whether the request says how long it is
    """The sign-in takes what anybody sends: some kibibytes of it, whatever length is declared."""

    async def stream() -> AsyncGenerator[bytes]:
        for _ in range(17):
            yield b"a" * 1024

    async def send(path: str) -> int:
        transport = httpx.ASGITransport(make_application(), client=(ELSEWHERE, 40_000))
        headers = bearer(OWNER) | {"Content-Type": "application/x-www-form-urlencoded"}
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            content = b"a" * 17 * 1024 if declared else stream()
            return (await http.post(path, content=content, headers=headers)).status_code

    assert asyncio.run(send("/forms/halt")) == 413
    assert asyncio.run(send("/orders")) == 200


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via", "X-Forwarded-Proto", "X-Forwarded-Host"]
)
def test_a_proxy_here_opens_reading_to_nobody(header: str) -> None:
    """It calls from this machine under a name of it, for somebody elsewhere: only a token reads then."""
    assert ask(make_application(), "GET", "/page", HERE, {header: "x"}).status_code == 401
    assert ask(make_application(), "GET", "/page", HERE, {header: "x"} | bearer(READER)).status_code == 200


def test_what_a_proxy_sends_that_says_nothing_reads_nothing() -> None:
    """Such as nginx before 1.29.7 as it comes: its own Host, no address, HTTP/1.0 (ngx_http_proxy_module)."""
    heads = ("GET /page HTTP/1.1", "GET /page HTTP/1.0")
    with serving(make_application()) as url:
        address = httpx.URL(url)
        statuses: list[bytes] = []
        for head in heads:
            with socket.create_connection((address.host, address.port or 80), timeout=30) as connection:
                connection.sendall(f"{head}\r\nHost: {address.host}:{address.port}\r\n\r\n".encode())
                statuses.append(connection.recv(100).split(b" ")[1])
    assert statuses == [b"200", b"401"]


def test_forms_need_the_csrf_token_of_their_session() -> None:
    """Without it, with another session's, or with one that is no token: 403, and nothing is done."""
    service = make_application()
    owner, another = session(service, OWNER), session(service, OWNER)
    token = ask(service, "GET", "/csrf", headers=owner).json()
    answer = ask(service, "POST", "/forms/halt", headers=owner, form={"csrf_token": token})
    assert (answer.status_code, answer.json()) == (200, Role.OWNER)
    for headers, form in ((owner, {}), (owner, {"csrf_token": "x.y.z"}), (another, {"csrf_token": token})):
        assert ask(service, "POST", "/forms/halt", headers=headers, form=form).status_code == 403
    assert ask(service, "POST", "/forms/halt", form={"csrf_token": token}).status_code == 401
    here = make_application("")  # nobody signs in, and a page of another address still cannot know the token
    assert ask(here, "POST", "/forms/halt", HERE).status_code == 403
    token = ask(here, "GET", "/csrf", HERE).json()
    assert ask(here, "POST", "/forms/halt", HERE, form={"csrf_token": token}).status_code == 200


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("POST", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ("POST", {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"}, 403),
        ("POST", {"Origin": "https://attacker.example"}, 403),
        ("POST", {"Origin": "null"}, 403),
        ("POST", {"Origin": "http://localhost:8081", "Sec-Fetch-Site": "same-origin"}, 200),
        ("POST", {}, 200),
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200),
        ("GET", {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, 200),
    ],
)
def test_pages_of_other_addresses_change_and_read_nothing(method: str, headers: dict[str, str], status: int) -> None:
    """Also where no token is configured: an image of a page on the internet, its form, its script."""
    path = "/page" if method == "GET" else "/orders"
    assert ask(make_application(""), method, path, HERE, headers).status_code == status


def test_a_page_whose_name_leads_here_is_refused_whatever_it_says_of_its_way() -> None:
    """Without a token whoever reaches the service owns it: no header may hide that the browser is on this machine."""
    config = make_config(make_application(""), HERE, 0)
    config.load()

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(cast("ASGIApp", config.loaded_app), client=(HERE, 40_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://attacker.example:8081") as http:
            return await http.post("/orders", headers={"X-Forwarded-For": ELSEWHERE})

    assert asyncio.run(send()).status_code == 421


@pytest.mark.parametrize(("header", "status"), [("Host", 421), ("Origin", 403)])
def test_what_is_no_address_is_refused(header: str, status: int) -> None:
    """Without a traceback in the log for each."""
    assert ask(make_application(""), "POST", "/orders", HERE, {header: "http://["}).status_code == status
