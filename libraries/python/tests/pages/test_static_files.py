"""The files of the pages: vendored ones match their digests, addresses change with the content, answers are small."""

import asyncio
import re
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from internal import pages
from internal.http.problems import install_problem_handlers
from internal.pages.environment import make_environment
from internal.pages.responses import accepts_gzip
from internal.pages.static_files import read_static_files, static_address
from internal.pages.static_routes import router

STATIC = Path(pages.__file__).parent / "static"
VENDOR = STATIC / "vendor"
FIRST_VISIT_BYTES = 340_000  # gzip, without the page itself; 400 kB is the limit with it


def get(path: str, **headers: str) -> httpx.Response:
    """What a service with these files alone answers; header names with an underscore for each hyphen."""
    application = FastAPI()
    install_problem_handlers(application)
    application.include_router(router)

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://localhost") as client:
            return await client.get(
                path, follow_redirects=True, headers={name.replace("_", "-"): value for name, value in headers.items()}
            )

    return asyncio.run(ask())


def test_vendored_files() -> None:
    """Every vendored file has the digest that was written down, in both places, and a licence beside it."""
    written = {name: digest for digest, name in map(str.split, (VENDOR / "SHA256SUMS").read_text().splitlines())}
    found = {
        path.name: sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.iterdir()
        if path.suffix in {".js", ".woff2"}
    }
    assert found == written
    table = re.findall(r"^\| `(\S+)` .* `([0-9a-f]{64})` \|$", (VENDOR / "README.md").read_text(), re.MULTILINE)
    assert dict(table) == {name: digest for name, digest in found.items() if name != "echarts.entry.js"}
    assert {"echarts", "zrender", "tslib", "htmx", "inter"} <= {
        path.name.split(".")[0] for path in VENDOR.glob("*.LICENSE.txt")
    }


def test_a_file_over_http() -> None:
    """Compressed where the browser allows it, kept for ever under its own version, asked again under another."""
    address = static_address("app.css")
    answer = get(address, accept_encoding="gzip")
    assert answer.content == (STATIC / "app.css").read_bytes()
    headers = answer.headers
    assert (headers["content-encoding"], headers["vary"]) == ("gzip", "Accept-Encoding")
    assert (headers["content-type"], headers["cache-control"]) == (
        "text/css; charset=utf-8",
        "public, max-age=31536000, immutable",
    )
    plain = get(address, accept_encoding="identity")
    assert ("content-encoding" in plain.headers, plain.content) == (False, answer.content)
    assert get(address, if_none_match=headers["etag"]).status_code == 304
    other = get("/static/0123456789ab/app.css")
    assert (other.status_code, other.headers["cache-control"]) == (200, "no-cache")
    font = get(static_address("vendor/inter-latin-wght-normal.woff2"))
    assert (font.headers["content-type"], "content-encoding" in font.headers) == ("font/woff2", False)


@pytest.mark.parametrize(
    "path", ["nothing.css", "../formats.py", "%2e%2e/formats.py", "vendor/README.md", "", "app.css/"]
)
def test_other_files_are_not_served(path: str) -> None:
    """What is no file of the pages is 404, a path that leads out of the folder too."""
    assert get(f"/static/0123456789ab/{path}").status_code == 404


def test_first_visit_is_small() -> None:
    """Everything that a page with charts loads stays within its part of the budget of 400 kB."""
    loaded = [path for path in read_static_files().files if "entry" not in path]
    sizes = [len(file.compressed or file.content) for path in loaded if (file := read_static_files().files[path])]
    assert sum(sizes) < FIRST_VISIT_BYTES


def test_style_sheet_loads_nothing_else() -> None:
    """Each address within the style sheet is a file of the package, each token that is used is defined."""
    text = (STATIC / "app.css").read_text()
    assert re.findall(r'url\("([^"]+)"\)', text) == ["vendor/inter-latin-wght-normal.woff2"]
    defined, used = set(re.findall(r"(--[\w-]+):", text)), set(re.findall(r"var\((--[\w-]+)", text))
    assert used <= defined


def test_templates() -> None:
    """Values are escaped, unknown names are errors, and the skeleton holds nothing inline."""
    environment = make_environment()
    page = environment.get_template("base.html").render()
    assert not re.search(r"<style|style=|<script>|https?:|\bon\w+=", page)
    assert static_address("app.js") in page
    assert environment.from_string("{{ text }}").render(text="<b>&") == "&lt;b&gt;&amp;"
    with pytest.raises(Exception, match="'nothing' is undefined"):
        environment.from_string("{{ nothing }}").render()


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip, deflate, br", True),
        ("br;q=1.0, gzip;q=0.8", True),
        ("*", True),
        ("gzip;q=0", False),
        ("br", False),
        ("", False),
    ],
)
def test_accept_encoding(header: str, *, accepted: bool) -> None:
    """RFC 9110, section 12.5.3."""
    assert accepts_gzip(header) is accepted
