"""A container's health check: exits with 0 for a 2xx response and with 1 for anything else.

It imports only the standard library, because an orchestrator starts it every few seconds:
`python -m internal.http.probe http://127.0.0.1:8080/health`.
"""

import sys
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

SECONDS = 3.0  # below the health check's own limit


def describe_failure(url: str) -> str:
    """The fault of the service at an http:// URL; "" when it answers 2xx."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        return f"{url} is not an http:// URL"
    connection = HTTPConnection(parts.hostname, parts.port, timeout=SECONDS)
    try:
        connection.request("GET", parts.path or "/", headers={"Connection": "close"})
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        return f"{url}: {error or type(error).__name__}"
    finally:
        connection.close()
    return "" if 200 <= status < 300 else f"{url} answered {status}"  # noqa: PLR2004 - the range of success


def main() -> int:
    """Run the command line, whose one argument is a URL."""
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and its one argument
        sys.stderr.write("usage: python -m internal.http.probe http://HOST:PORT/health\n")
        return 1
    found = describe_failure(sys.argv[1])
    sys.stderr.write(f"{found}\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
