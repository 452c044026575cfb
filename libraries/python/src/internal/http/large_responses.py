"""GET of a body of hundreds of megabytes, read from the socket straight into the reader's buffers.

httpx reads 64 KiB at a time and copies each several times, which costs more than decoding the bars.
"""

from collections.abc import Generator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection

import httpx

from internal.http.authorities import trusted_authorities


@contextmanager
def open_response(request: httpx.Request, *, connect: float, read: float) -> Generator[HTTPResponse]:
    """The response of the request, whose body is to be read; its connection is closed at the end.

    Raises OSError or `http.client.HTTPException`, also while the body is read.

    Args:
        request: Without a body; redirects are not followed.
        connect: Seconds until the connection is there.
        read: Seconds without an answer, or between two pieces of it.
    """
    connection = _connect(request.url, connect)
    try:
        connection.connect()
        connection.sock.settimeout(read)
        headers = dict(request.headers) | {"accept-encoding": "identity"}
        connection.request(request.method, request.url.raw_path.decode("ascii"), headers=headers)
        with connection.getresponse() as response:
            yield response
    finally:
        connection.close()


def read_whole(request: httpx.Request, response: HTTPResponse) -> httpx.Response:
    """The response with its whole body, as httpx gives it."""
    return httpx.Response(response.status, headers=response.getheaders(), content=response.read(), request=request)


def _connect(url: httpx.URL, timeout: float) -> HTTPConnection:
    """A connection that is not open yet."""
    if url.scheme == "https":
        return HTTPSConnection(url.host, url.port, timeout=timeout, context=trusted_authorities())
    return HTTPConnection(url.host, url.port, timeout=timeout)
