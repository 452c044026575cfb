"""The services of a running fund over their public HTTP API: GET requests, faults, and whether a session is done."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import httpx
from pydantic import TypeAdapter

from parity.tables import Row, Scalar

SECONDS = 120.0
_OBJECT = TypeAdapter(dict[str, object])
_OBJECTS = TypeAdapter(list[dict[str, object]])
_CREDENTIALS = TypeAdapter(dict[str, str])


@dataclass(frozen=True)
class Ports:
    """Where the three services listen on loopback."""

    exchange: int
    datamanager: int
    portfoliomanager: int

    def environment(self) -> dict[str, str]:
        """The variables that move the services to these ports."""
        return {
            "EXCHANGE_PORT": str(self.exchange),
            "DATAMANAGER_PORT": str(self.datamanager),
            "PORTFOLIOMANAGER_PORT": str(self.portfoliomanager),
        }


@dataclass(frozen=True)
class Services:
    """The three services of the fund in a folder.

    Args:
        home: The fund's folder; its credentials.json has the keys of the exchange.
        ports: Where the services listen.
    """

    home: Path
    ports: Ports

    def exchange(self, path: str, **parameters: str) -> bytes:
        """GET from the exchange."""
        keys = self._credentials()
        headers = {"APCA-API-KEY-ID": keys["api_key_id"], "APCA-API-SECRET-KEY": keys["api_secret"]}
        return _get(self.ports.exchange, path, parameters, headers)

    def datamanager(self, path: str, **parameters: str) -> bytes:
        """GET from the datamanager."""
        return _get(self.ports.datamanager, path, parameters, {})

    def portfoliomanager(self, path: str, **parameters: str) -> bytes:
        """GET from the portfoliomanager."""
        return _get(self.ports.portfoliomanager, path, parameters, {})

    def query(self, sql: str) -> list[Row]:
        """The rows of one SELECT over the lake."""
        return rows_of(self.datamanager("/query", sql=sql))

    def inject(self, fault: Mapping[str, Scalar]) -> None:
        """Inject a fault into the exchange."""
        headers = {"Authorization": f"Bearer {self._credentials()['fund_api_token']}"}
        url = f"http://127.0.0.1:{self.ports.exchange}/control/faults"
        _client().post(url, json=dict(fault), headers=headers).raise_for_status()

    def faults_left(self) -> int:
        """How often the injected faults will still strike."""
        return sum(int(str(row["remaining"])) for row in rows_of(self.exchange("/control/faults")))

    def is_up(self) -> bool:
        """Whether the exchange answers."""
        try:
            self.exchange("/control/state")
        except (httpx.HTTPError, FileNotFoundError):
            return False
        return True

    def finished(self, sessions: int) -> bool:
        """Whether the opening and so many sessions have their portfolio, all orders are sent and no event waits."""
        try:
            runs = self.query("SELECT state FROM rebalances")
            boxes = [self.exchange("/control/events"), self.datamanager("/events"), self.portfoliomanager("/events")]
        except (httpx.HTTPError, FileNotFoundError):
            return False
        sent = all(run["state"] != "planned" for run in runs)
        return sent and len(runs) == sessions + 1 and not any(_pending(box) for box in boxes)

    def _credentials(self) -> dict[str, str]:
        return _CREDENTIALS.validate_python(json.loads((self.home / "credentials.json").read_text()))


@cache
def _client() -> httpx.Client:
    """One client for all requests: to make one costs 20 ms of processor time, which the services need themselves."""
    return httpx.Client(timeout=SECONDS, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))


def _get(port: int, path: str, parameters: Mapping[str, str], headers: Mapping[str, str]) -> bytes:
    every = {"Accept": "application/json", **headers}
    answer = _client().get(f"http://127.0.0.1:{port}{path}", params=parameters, headers=every)
    answer.raise_for_status()
    return answer.content


def _pending(body: bytes) -> bool:
    rows = [row for box in object_of(body).values() for row in _OBJECTS.validate_python(box)]
    return any(row["state"] == "pending" for row in rows)


def object_of(body: bytes) -> dict[str, object]:
    """A JSON object."""
    return _OBJECT.validate_python(json.loads(body))


def rows_of(body: bytes) -> list[Row]:
    """A JSON list of objects as rows."""
    return [row_of(one) for one in _OBJECTS.validate_python(json.loads(body))]


def rows_in(value: object) -> list[Row]:
    """A list of objects inside a JSON object as rows."""
    return [row_of(one) for one in _OBJECTS.validate_python(value)]


def row_of(values: Mapping[str, object]) -> Row:
    """A JSON object as a row; a list or an object in it is kept as JSON text."""
    return {
        name: value if isinstance(value, str | int | float | bool | None) else json.dumps(value, sort_keys=True)
        for name, value in values.items()
    }
