"""Signing in on the pages: what a reader and the owner may change there, and how often a token may be tried."""

import re
from collections.abc import Iterator

import httpx
import pytest

from applications.portfoliomanager.tests.portfoliomanager_kit import TOKEN, Service, World
from internal.http.roles import derive_reader_token
from libraries.python.tests.loopback import serving
from portfoliomanager.server import create_application


@pytest.fixture(scope="module")
def service(world: World) -> Iterator[Service]:
    """The application in this process, with state, lake and registry of its own."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in world.variables("sign-in").items():
            patch.setenv(name, value)
        with serving(create_application()) as url:
            yield Service("portfoliomanager", {}, world.folder / "sign-in.log", int(url.rpartition(":")[2]))


class Browser:
    """A person's browser at a running service: it keeps cookies and sends the forms of the pages that it shows."""

    def __init__(self, url: str) -> None:
        self.client = httpx.Client(base_url=url, trust_env=False, timeout=60)
        self.page = ""

    def read(self, path: str) -> httpx.Response:
        """Open a page."""
        answer = self.client.get(path, headers={"Accept": "text/html"}, follow_redirects=True)
        self.page = answer.text
        return answer

    def send(self, path: str, **fields: str) -> httpx.Response:
        """Send the form of the page with the page's own CSRF token."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.page)
        token = {"csrf_token": found[1]} if found else {}
        answer = self.client.post(path, data=token | fields, headers={"Accept": "text/html"}, follow_redirects=True)
        self.page = answer.text
        return answer


def test_reader_halts_and_owner_resumes_on_the_page(service: Service) -> None:
    """The role of the session decides; the word, a reason and the page's token are asked for; else nothing changes."""

    def state() -> tuple[str, str]:
        now = service.json("GET", "/trading-state")
        return now["state"], now["changed_by"]

    asked = {"state": "active", "changed_by": "ben", "reason": "a test"}
    service.json("PUT", "/trading-state", json=asked)
    reader = Browser(service.url)
    shown = reader.read("/trading-state/change").text  # on the service's own machine it may be read without
    assert 'href="/sign-in"' in shown
    assert "needs a sign-in" in shown
    before = state()
    assert reader.send("/forms/trading-state", state="halted", word="HALT", reason="a test").url.path == "/sign-in"
    assert reader.send("/forms/sign-in", token="wr" + TOKEN, next="/book").status_code == 401
    assert reader.send("/forms/sign-in", token=derive_reader_token(TOKEN), next="//evil.example").url.path == "/"
    reader.read("/trading-state/change")
    for fields in ({"word": "halt"}, {"word": "HALT", "reason": " "}, {"state": "resumed"}, {"csrf_token": "forged"}):
        answer = reader.send("/forms/trading-state", **{"state": "halted", "word": "HALT", "reason": "a test"} | fields)
        assert answer.status_code in {403, 422}, answer.text
        assert answer.text.startswith("<!doctype html>")
        reader.read("/trading-state/change")
    assert state() == before
    assert reader.send("/forms/trading-state", state="halted", word="HALT", reason="a <test>").is_success
    assert state() == ("halted", "reader on the page")
    assert "a &lt;test&gt;" in reader.page
    reader.read("/trading-state/change")
    refused = reader.send("/forms/trading-state", state="active", word="RESUME", reason="a test")
    assert (refused.status_code, state()[0]) == (403, "halted")
    assert "a reader only makes the trading state stricter" in refused.text
    headers = {"Authorization": f"Bearer {derive_reader_token(TOKEN)}"}
    assert service.request("PUT", "/trading-state", json=asked, headers=headers).status_code == 403
    reader.read("/trading-state/change")
    copied, csrf_token = dict(reader.client.cookies), re.search(r'name="csrf_token" value="([^"]+)"', reader.page)
    assert csrf_token is not None
    assert reader.send("/forms/sign-out").url.path == "/sign-in"
    again = httpx.post(f"{service.url}/forms/sign-out", data={"csrf_token": csrf_token[1]}, cookies=copied)
    assert again.status_code == 401

    owner = Browser(service.url)
    owner.read("/sign-in?next=/trading-state/change")
    assert owner.send("/forms/sign-in", token=TOKEN, next="/trading-state/change").url.path == "/trading-state/change"
    assert owner.send("/forms/trading-state", state="active", word="RESUME", reason="a test").is_success
    assert state() == ("active", "owner on the page")


def test_tokens_cannot_be_tried_without_end(service: Service) -> None:
    """After ten attempts of a minute even the right one is not looked at."""
    browser = Browser(service.url)
    statuses: list[int] = []
    for _ in range(11):
        browser.read("/sign-in")
        statuses.append(browser.send("/forms/sign-in", token="wr" + TOKEN).status_code)
    assert statuses[-1] == 429
    assert set(statuses) == {401, 429}
