"""One service over HTTP: JSON and bytes, with the errors that its problem answers name.

It uses the standard library alone: `fund halt` must not wait until an HTTP library has loaded.
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from fund.services import Service
from internal.errors import UnavailableError, UpstreamError
from internal.http.bearer import bearer_headers
from internal.http.problem_errors import Answer, error_of

Json = dict[str, Any]
READ_SECONDS = 30.0
LONG_SECONDS = 600.0
ALIVE_SECONDS = 2.0
CONNECT_SECONDS = 5.0


@dataclass(frozen=True)
class ServiceClient:
    """One service; no proxy is asked, and no connection is kept open.

    Args:
        name: The service's name, for messages.
        url: Its base URL.
        token: The bearer token of its mutating routes; empty when it has none.
        reader: User and password for reading, where a proxy in front of the service asks for them.
        events_url: Where the other services deliver events to it; `url` when they use the same address.
    """

    name: Service
    url: str
    token: str = ""
    reader: tuple[str, str] | None = None
    events_url: str = ""

    @property
    def events(self) -> str:
        """The address to which other services' outboxes deliver events for this service."""
        return f"{self.events_url or self.url}/events"

    def get(self, path: str, **parameters: str) -> Json:
        """GET a JSON object; a problem answer raises the matching error."""
        return self._parse(self.read(path, **parameters))

    def get_list(self, path: str, **parameters: str) -> list[Json]:
        """GET a list of JSON objects; a problem answer raises the matching error."""
        rows: list[Json] = self._parse_any(self.read(path, **parameters))
        return rows

    def text(self, path: str, **parameters: str) -> str:
        """GET a text; a problem answer raises the matching error."""
        return self.read(path, **parameters).content.decode()

    def read(self, path: str, **parameters: str) -> Answer:
        """GET any content; a problem answer raises the matching error."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        return self._require_success(self._send("GET", path + query, self._reading_headers(), READ_SECONDS))

    def post(self, path: str, body: Json) -> Json:
        """POST a JSON object and return the one that answers; a problem answer raises the matching error."""
        return self._write("POST", path, body)

    def put(self, path: str, body: Json) -> Json:
        """PUT a JSON object and return the one that answers; a problem answer raises the matching error."""
        return self._write("PUT", path, body)

    def delete(self, path: str, body: Json) -> Json:
        """DELETE with a JSON object and return the one that answers; a problem answer raises the matching error."""
        return self._write("DELETE", path, body)

    def readiness(self) -> dict[str, str]:
        """The checks of `/ready`: for each thing that the service needs, `ok` or what is wrong with it."""
        checks: dict[str, str] = self._parse(self._send("GET", "/ready", self._reading_headers(), READ_SECONDS))[
            "checks"
        ]
        return checks

    def is_alive(self) -> bool:
        """Whether `/health` answers with success."""
        try:
            return self._send("GET", "/health", self._reading_headers(), ALIVE_SECONDS).is_success
        except UnavailableError:
            return False

    def _write(self, method: str, path: str, body: Json) -> Json:
        headers = {"Content-Type": "application/json", **bearer_headers(self.token)}
        answer = self._send(method, path, headers, LONG_SECONDS, json.dumps(body).encode())
        return self._parse(self._require_success(answer))

    def _send(
        self, method: str, path: str, headers: Mapping[str, str], seconds: float, body: bytes | None = None
    ) -> Answer:
        connection = self._open(min(seconds, CONNECT_SECONDS))
        try:
            connection.connect()
            connection.sock.settimeout(seconds)
            connection.request(method, urlsplit(self.url).path.rstrip("/") + path, body, dict(headers))
            response = connection.getresponse()
            where = f"{method} {self.url}{path.partition('?')[0]}"
            return Answer(response.status, response.headers.get("content-type", ""), response.read(), where)
        except ConnectionRefusedError as error:
            raise UnavailableError(
                f"{self.name} is not running: nothing answers at {self.url}. `./fund status` says what runs; "
                "`./fund up` starts an offline fund, `./fund run` one at a broker."
            ) from error
        except (OSError, HTTPException) as error:
            raise UnavailableError(
                f"{self.name} at {self.url} does not answer ({type(error).__name__}); see `./fund status`."
            ) from error
        finally:
            connection.close()

    def _open(self, seconds: float) -> HTTPConnection:
        parts = urlsplit(self.url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        return kind(parts.hostname or "", parts.port, timeout=seconds)

    def _reading_headers(self) -> dict[str, str]:
        if self.reader is None:
            return bearer_headers(self.token)
        return {"Authorization": f"Basic {b64encode(':'.join(self.reader).encode()).decode()}"}

    def _require_success(self, answer: Answer) -> Answer:
        if (error := error_of(answer)) is not None:
            raise error
        return answer

    def _parse(self, answer: Answer) -> Json:
        body: Json = self._parse_any(answer)
        return body

    def _parse_any(self, answer: Answer) -> Any:  # noqa: ANN401 - any JSON
        try:
            return json.loads(answer.content)
        except ValueError as error:
            raise UpstreamError(f"{answer.where} did not answer with JSON") from error
