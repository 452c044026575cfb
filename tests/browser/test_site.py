"""The built documentation site: axe-core finds nothing on a page of each kind, and no other address is asked."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from browser.visits import HEIGHT, Scheme, Width, look_at, note_complaints, open_page
from playwright.sync_api import Browser

from infrastructure.revision import ROOT

pytestmark = pytest.mark.site
SITE = ROOT / ".site"
KINDS = {
    "code": "strategies/",
    "how-to with wide tables": "operations/messages/",
    "figures": "experiments/",
    "generated from docstrings": "reference/python/",
}


class QuietHandler(SimpleHTTPRequestHandler):
    """Files of the site, without a line for each request."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of the site."""
    if not (SITE / "index.html").exists():
        pytest.fail("the site is not built: run `mask docs build`, then these tests")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(SITE))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.parametrize("scheme", Scheme)
@pytest.mark.parametrize("kind", KINDS)
def test_page(kind: str, scheme: Scheme, site: str, chromium: Browser) -> None:
    """In both schemes of a system, on a desk and turned into the width of a telephone."""
    with open_page(chromium, scheme=scheme) as page:
        complaints = note_complaints(page, site)
        page.goto(site + KINDS[kind])
        page.wait_for_load_state("networkidle")
        for width in sorted(Width, reverse=True):
            page.set_viewport_size({"width": width, "height": HEIGHT})
            assert look_at(page, f"site-{Path(KINDS[kind]).name}", width, scheme) == ()
    assert complaints == []
