"""One service over HTTP: JSON and frames, with the errors that its problem answers name."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx
import polars as pl

from fund.addresses import Service
from internal.errors import UnavailableError
from internal.http.bearer import bearer_headers
from internal.http.client import raise_for_problem, read_frame_response

Json = dict[str, Any]
READ_SECONDS = 30.0
LONG_SECONDS = 600.0
ALIVE_SECONDS = 2.0


@cache
def loopback_client() -> httpx.Client:
    """The HTTP client of every request to a service of this fund: no proxy, no connection kept open.

    There is one for all requests because a new client reads every certificate authority, which takes 20 ms of processor
    time, and `fund up` polls three services while it waits.
    """
    return httpx.Client(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))


@dataclass(frozen=True)
class ServiceClient:
    """One service.

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

    def _send(self, request: httpx.Request, auth: tuple[str, str] | None = None) -> httpx.Response:
        try:
            response = loopback_client().send(request, auth=auth)
        except httpx.TransportError as error:
            raise UnavailableError(
                f"{self.name} at {self.url} does not answer ({type(error).__name__}); see `./fund status`."
            ) from error
        raise_for_problem(response)
        return response

    def _read(self, path: str, parameters: Mapping[str, str]) -> httpx.Response:
        request = loopback_client().build_request(
            "GET", self.url + path, params=parameters, headers=self._headers(), timeout=READ_SECONDS
        )
        return self._send(request, self.reader)

    def _headers(self) -> dict[str, str]:
        return bearer_headers(self.token)

    def get(self, path: str, **parameters: str) -> Json:
        """GET a JSON object; a problem answer raises the matching error."""
        body: Json = self._read(path, parameters).json()
        return body

    def text(self, path: str, **parameters: str) -> str:
        """GET a text; a problem answer raises the matching error."""
        return self._read(path, parameters).text

    def frame(self, path: str, **parameters: str) -> pl.DataFrame:
        """GET a frame; a problem answer raises the matching error."""
        return read_frame_response(self._read(path, parameters))

    def post(self, path: str, body: Json) -> Json:
        """POST a JSON object and return the one that answers; a problem answer raises the matching error."""
        return self._write("POST", path, body)

    def put(self, path: str, body: Json) -> Json:
        """PUT a JSON object and return the one that answers; a problem answer raises the matching error."""
        return self._write("PUT", path, body)

    def delete(self, path: str, body: Json) -> Json:
        """DELETE with a JSON object and return the one that answers; a problem answer raises the matching error."""
        return self._write("DELETE", path, body)

    def _write(self, method: str, path: str, body: Json) -> Json:
        request = loopback_client().build_request(
            method, self.url + path, json=body, headers=self._headers(), timeout=LONG_SECONDS
        )
        answer: Json = self._send(request).json()
        return answer

    def readiness(self) -> dict[str, str]:
        """The checks of `/ready`: for each thing that the service needs, `ok` or what is wrong with it."""
        try:
            answer = loopback_client().get(f"{self.url}/ready", auth=self.reader, timeout=READ_SECONDS)
        except httpx.TransportError as error:
            raise UnavailableError(f"{self.name} at {self.url} does not answer ({type(error).__name__}).") from error
        checks: dict[str, str] = answer.json()["checks"]
        return checks

    def is_alive(self) -> bool:
        """Whether `/health` answers with success."""
        try:
            return loopback_client().get(f"{self.url}/health", auth=self.reader, timeout=ALIVE_SECONDS).is_success
        except httpx.TransportError:
            return False
