"""The fund's services over HTTP, as the command line uses them.

Knows addresses, the token and how an answer says that something is wrong. Knows nothing of processes or the screen.
"""

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import polars as pl

from internal.errors import NotFoundError, UnavailableError
from internal.http.bearer import bearer_headers
from internal.http.client import raise_for_problem, read_frame_response

Json = dict[str, Any]
READ_SECONDS = 30.0
LONG_SECONDS = 600.0


@cache
def loopback() -> httpx.Client:
    """The client of every request to a service of this fund: no proxy, and no kept connection: services come and go.

    One for all: `httpx.get` would build a client each time, which reads every certificate authority, for 20 ms of
    processor time; while `fund up` waits, it asks the three services again and again, beside their own work.
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
        events_url: Where the other services deliver events to it; `url` when they reach it as we do.
    """

    name: str
    url: str
    token: str = ""
    reader: tuple[str, str] | None = None
    events_url: str = ""

    @property
    def events(self) -> str:
        """The address that an outbox holds for this service."""
        return f"{self.events_url or self.url}/events"

    def _send(self, method: str, path: str, *, content_type: str | None = None, **arguments: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own arguments
        headers = bearer_headers(self.token)
        if content_type is not None:
            headers["Content-Type"] = content_type
        if self.reader is not None and method == "GET":
            arguments["auth"] = self.reader
        try:
            response = loopback().request(method, self.url + path, headers=headers, **arguments)
        except httpx.TransportError as error:
            raise UnavailableError(
                f"{self.name} at {self.url} does not answer ({type(error).__name__}); see `fund status`."
            ) from error
        raise_for_problem(response)
        return response

    def get(self, path: str, **parameters: str) -> Json:
        """GET a JSON object; a problem answer raises the matching error."""
        body: Json = self._send("GET", path, params=parameters, timeout=READ_SECONDS).json()
        return body

    def post(self, path: str, body: Json) -> Json:
        """POST a JSON object and return the one that answers; a problem answer raises the matching error."""
        answer: Json = self._send("POST", path, json=body, timeout=LONG_SECONDS).json()
        return answer

    def upload(self, path: str, file: Path) -> Json:
        """POST a CSV or parquet file and return the JSON object that answers."""
        kind = "text/csv" if file.suffix == ".csv" else "application/vnd.apache.parquet"
        response = self._send("POST", path, content=file.read_bytes(), content_type=kind, timeout=LONG_SECONDS)
        answer: Json = response.json()
        return answer

    def frame(self, path: str, **parameters: str) -> pl.DataFrame:
        """GET a frame."""
        return read_frame_response(self._send("GET", path, params=parameters, timeout=READ_SECONDS))

    def readiness(self) -> dict[str, str]:
        """What `/ready` says of each thing that the service needs: `ok`, or what is wrong with it."""
        try:
            answer = loopback().get(f"{self.url}/ready", auth=self.reader, timeout=READ_SECONDS)
        except httpx.TransportError as error:
            raise UnavailableError(f"{self.name} at {self.url} does not answer ({type(error).__name__}).") from error
        checks: dict[str, str] = answer.json()["checks"]
        return checks

    def alive(self) -> bool:
        """Whether `/health` answers 200."""
        try:
            return loopback().get(f"{self.url}/health", auth=self.reader, timeout=2).is_success
        except httpx.TransportError:
            return False


@dataclass(frozen=True)
class Clients:
    """The three services."""

    exchange: ServiceClient
    datamanager: ServiceClient
    portfoliomanager: ServiceClient

    def of(self, name: str) -> ServiceClient:
        """The client of the service with that name."""
        return {client.name: client for client in (self.exchange, self.datamanager, self.portfoliomanager)}[name]

    def state(self) -> Json:
        """The exchange's clock and market."""
        return self.exchange.get("/control/state")

    def move_clock(self, to: str) -> Json:
        """Move the exchange's clock to `next_open` or `next_close`."""
        return self.exchange.post("/control/clock", {"to": to})

    def predict(self, day: date) -> Json:
        """Ask for the forecasts of a session."""
        return self.portfoliomanager.post("/predictions", {"date": day.isoformat()})

    def rebalance(self, day: date) -> Json:
        """Ask for the portfolio of a session; the stored answer when it was built before."""
        return self.portfoliomanager.post("/portfolios", {"date": day.isoformat()})

    def has_portfolio(self, day: date) -> bool:
        """Whether a portfolio was stored for that session."""
        try:
            return not self.datamanager.frame("/portfolios", date=day.isoformat()).is_empty()
        except NotFoundError:
            return False

    def book(self) -> Json | None:
        """The current portfolio, None before there is one."""
        try:
            return self.portfoliomanager.get("/portfolios/current")
        except NotFoundError:
            return None


def unfinished_events(clients: Clients) -> list[Json]:
    """Events that some service has still to deliver or to handle.

    The services are asked in the direction of the data: an event is in the next inbox before it leaves an outbox, so
    that one round that finds nothing proves that the whole cycle is done.
    """
    boxes = (
        (clients.exchange, "/control/events"),
        (clients.datamanager, "/events"),
        (clients.portfoliomanager, "/events"),
    )
    addresses = [service.events for service, _ in boxes]
    return [
        {"service": service.name, **row}
        for service, path in boxes
        for rows in service.get(path).values()
        for row in rows
        if row["state"] == "pending" and row.get("subscriber", addresses[0]) in addresses
    ]
