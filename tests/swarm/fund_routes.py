"""The fund inside the Swarm, through Traefik only: its clock, its daily cycle, its orders."""

from collections import Counter
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
from swarm.cluster import wait_until

CYCLE_SECONDS = 240.0
Json = dict[str, Any]


@dataclass
class Fund:
    """The fund's routes.

    Args:
        host: Where Traefik listens.
        token: FUND_API_TOKEN.
        password: That of the dashboards' `admin`, which also opens the exchange's control routes.
    """

    host: str
    token: str
    password: str

    @property
    def datamanager(self) -> str:
        """Base URL."""
        return f"http://{self.host}:8080"

    @property
    def portfoliomanager(self) -> str:
        """Base URL."""
        return f"http://{self.host}:8081"

    @property
    def exchange(self) -> str:
        """Base URL; reading it asks for the dashboards' login, changing something for the token."""
        return f"http://{self.host}/exchange"

    def ask(self, method: str, url: str, body: Json | None = None, seconds: float = 60) -> Any:  # noqa: ANN401 - any JSON
        """The JSON of an answer. AssertionError when it is no success."""
        answer = self.request(method, url, body, seconds)
        assert answer.is_success, f"{method} {url}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content else {}

    def request(self, method: str, url: str, body: Json | None = None, seconds: float = 60) -> httpx.Response:
        """One request with the credentials that its address asks for."""
        headers = {"Accept": "application/json"}
        login = ("admin", self.password) if method == "GET" and url.startswith(f"http://{self.host}/") else None
        if login is None:
            headers["Authorization"] = f"Bearer {self.token}"
        with httpx.Client(trust_env=False, timeout=seconds, auth=login) as client:
            return client.request(method, url, json=body, headers=headers)

    def state(self) -> Json:
        """The exchange's clock."""
        state: Json = self.ask("GET", f"{self.exchange}/control/state")
        return state

    def exchange_orders(self) -> list[Json]:
        """The exchange's own list of every order that it ever accepted."""
        orders: list[Json] = self.ask("GET", f"{self.exchange}/control/orders")["orders"]
        return orders

    def journal(self) -> list[Json]:
        """Every order of the fund's journal."""
        rows: list[Json] = self.ask("GET", f"{self.portfoliomanager}/orders")
        return rows

    def pending(self) -> list[Json]:
        """Events that some service has still to deliver or to handle, in the direction of the data."""
        boxes = (f"{self.exchange}/control/events", f"{self.datamanager}/events", f"{self.portfoliomanager}/events")
        found = [self.request("GET", url) for url in boxes]
        if not all(answer.is_success for answer in found):
            return [{"type": f"{answer.url}: {answer.status_code}"} for answer in found if not answer.is_success]
        rows = [row for answer in found for box in answer.json().values() for row in box]
        return [row for row in rows if row["state"] == "pending"]

    def finish_events(self, seconds: float = CYCLE_SECONDS) -> float:
        """Wait until the whole cycle is done; seconds."""
        return wait_until("every event handled", lambda: not self.pending(), seconds)

    def move_clock(self, to: str) -> Json:
        """Move the exchange's clock to `next_open` or `next_close`."""
        moved: Json = self.ask("POST", f"{self.exchange}/control/clock", {"to": to}, seconds=120)
        return moved

    def play_session(self) -> str:
        """The next open and close, with all that follows from them; the session's date."""
        for stop in ("next_open", "next_close"):
            self.move_clock(stop)
            self.finish_events()
        return str(self.state()["session"])

    def slow_answers(self, seconds: float) -> None:
        """From now on every order is taken, and its answer lost after so many seconds: the sender must ask for it."""
        fault = {"kind": "hang", "path": "/v2/orders", "method": "POST", "count": 500, "seconds": seconds}
        self.ask("POST", f"{self.exchange}/control/faults", fault)

    def reads(self, service: str) -> list[str]:
        """What a load asks a service, in turn: whether it lives, and a read of the lake or of the book."""
        day = self.state()["session"]
        if service == "datamanager":
            return [f"{self.datamanager}/health", f"{self.datamanager}/sessions?start_date={day}&end_date={day}"]
        return [f"{self.portfoliomanager}/health", f"{self.portfoliomanager}/orders?date={day}"]

    def counts(self) -> Json:
        """How many rows the lake has, by table, as datamanager's SQL counts them."""
        tables = ("equity_bars", "predictions", "portfolios", "orders", "rebalances")
        counted = ", ".join(f"(SELECT count(*) FROM {name}) AS {name}" for name in tables)  # noqa: S608 - fixed names
        rows: list[Json] = self.ask("GET", f"{self.datamanager}/query?{urlencode({'sql': f'SELECT {counted}'})}")
        return rows[0]

    def rules(self) -> str:
        """The rules that Prometheus has loaded."""
        return self.request("GET", f"http://{self.host}/prometheus/api/v1/rules").text

    def alive(self, base: str) -> bool:
        """Whether a service answers its `/health` with 200."""
        return self._answers(f"{base}/health")

    def ready(self, base: str) -> bool:
        """Whether a service answers its `/ready` with 200."""
        return self._answers(f"{base}/ready")

    def _answers(self, url: str) -> bool:
        try:
            return self.request("GET", url, seconds=10).is_success
        except httpx.HTTPError:
            return False


def require_same_orders(fund: Fund) -> tuple[int, int]:
    """The exchange's own list and the journal are the same orders with the same fills, each once; orders and fills."""
    orders, journal = fund.exchange_orders(), fund.journal()
    sent = {row["client_order_id"]: row for row in journal if row["broker_order_id"] is not None}
    doubled = [name for name, count in Counter(order["client_order_id"] for order in orders).items() if count > 1]
    assert not doubled
    assert {order["client_order_id"] for order in orders} == set(sent), "an order was lost"
    legs = Counter((row["portfolio_id"], name.rsplit("-", 1)[0], row["side"]) for name, row in sent.items())
    assert not [leg for leg, count in legs.items() if count > 1], "one decision was sent twice"
    booked = {name: float(row["filled_quantity"]) for name, row in sent.items()}
    assert booked == {order["client_order_id"]: float(order["filled_qty"]) for order in orders}
    return len(orders), sum(len(order["fills"]) for order in orders)
