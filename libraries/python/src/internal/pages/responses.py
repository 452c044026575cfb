"""The response that carries a page: compressed, never stored by a browser, under a strict content security policy."""

import gzip

from fastapi import Request
from fastapi.responses import HTMLResponse

SMALLEST_COMPRESSED = 1_024  # bytes; below it gzip saves nothing that is felt
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)  # nothing inline, no other address


def page_response(request: Request, html: str, status: int = 200) -> HTMLResponse:
    """The page, or a part of one that htmx asked for."""
    content = html.encode()
    headers = {"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-store", "Vary": "Accept, Accept-Encoding"}
    if len(content) >= SMALLEST_COMPRESSED and accepts_gzip(request.headers.get("accept-encoding", "")):
        content, headers["Content-Encoding"] = gzip.compress(content, compresslevel=6, mtime=0), "gzip"
    return HTMLResponse(content, status, headers)


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether the header Accept-Encoding allows gzip."""
    for one in accept_encoding.lower().split(","):
        name, _, weight = one.partition(";")
        if name.strip() in {"gzip", "*"}:
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
