"""A page is painted when all of it is there: nothing moves while it arrives in pieces."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from dataclasses import replace

import httpx
import pytest
from browser.fund_pages import RunningFund, every_page
from browser.visits import MOST_LAYOUT_SHIFT, load_page, open_page
from fastapi import FastAPI, Request
from fastapi.responses import Response, StreamingResponse
from playwright.sync_api import Browser

from libraries.python.tests.loopback import serving

pytestmark = pytest.mark.browser
PIECE_SIZE, PAUSE_SECONDS = 1000, 0.02
PASSED_ON = ("content-type", "content-security-policy", "cache-control")


async def _arrive(content: bytes) -> AsyncGenerator[bytes]:
    for start in range(0, len(content), PIECE_SIZE):
        yield content[start : start + PIECE_SIZE]
        await asyncio.sleep(PAUSE_SECONDS)


@pytest.fixture(scope="module")
def slow_fund(fund: RunningFund) -> Iterator[RunningFund]:
    """The fund behind a server that passes its pages on in pieces, as a slow or busy machine shows them."""
    server = FastAPI()

    @server.get("/{path:path}")
    async def pass_on(path: str, request: Request) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        headers = {"Accept": request.headers["accept"]}
        async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
            answer = await client.get(f"{fund.url}/{path}{query}", headers=headers)
        kept = {name: answer.headers[name] for name in PASSED_ON if name in answer.headers}
        if answer.headers["content-type"].startswith("text/html"):
            return StreamingResponse(_arrive(answer.content), answer.status_code, kept)
        return Response(answer.content, answer.status_code, kept)

    with serving(server) as url:
        yield replace(fund, url=url)


@every_page
def test_nothing_moves_while_a_page_arrives(
    path: str, chromium: Browser, fund: RunningFund, slow_fund: RunningFund
) -> None:
    """Column widths of tables and strips, which depend on what is yet to come, are seen only once they are final."""
    address = fund.address(path).replace(fund.url, slow_fund.url, 1)
    with open_page(chromium) as page:
        assert load_page(page, address).layout_shift < MOST_LAYOUT_SHIFT
