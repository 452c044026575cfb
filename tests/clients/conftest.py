"""The exchange that the clients drive: it runs already, in its own process, and is named by the environment."""

import json
import os
import urllib.request
from dataclasses import dataclass
from typing import Any

import pytest

KEY_ID, SECRET = "PKTESTEXCHANGE", "a-secret-of-the-tests"  # those of applications/exchange/tests/exchange_kit.py


@dataclass(frozen=True)
class Exchange:
    """The running exchange and the keys that it accepts."""

    url: str
    market_data_key: str
    key_id: str = KEY_ID
    secret: str = SECRET

    def move(self, to: str) -> None:
        """Moves its clock to `next_open` or `next_close`."""
        self.request("POST", "/control/clock", {"to": to})

    def trade(self, method: str, path: str) -> Any:  # noqa: ANN401 - JSON
        """A request to the trading API without any client."""
        return self.request(method, path, None)

    def request(self, method: str, path: str, body: dict[str, str] | None) -> Any:  # noqa: ANN401 - JSON
        """A request by the standard library, which every environment has."""
        content = None if body is None else json.dumps(body).encode()
        headers = {
            "APCA-API-KEY-ID": self.key_id,
            "APCA-API-SECRET-KEY": self.secret,
            "Content-Type": "application/json",
        }
        request = urllib.request.Request(self.url + path, content, headers, method=method)  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
            read = answer.read()
        return json.loads(read) if read else None


@pytest.fixture
def exchange() -> Exchange:
    """The exchange, with neither orders nor positions left over."""
    running = Exchange(os.environ["EXCHANGE_URL"], os.environ["EXCHANGE_MARKET_DATA_KEY"])
    running.trade("DELETE", "/v2/orders")
    if running.trade("GET", "/v2/positions"):
        running.trade("DELETE", "/v2/positions?cancel_orders=true")
        running.move("next_open")
    running.move("next_close")
    return running


@pytest.fixture
def symbol(exchange: Exchange) -> str:
    """A ticker that can be bought in fractions and sold short."""
    assets = exchange.trade("GET", "/v2/assets?status=active")
    return str(next(one["symbol"] for one in assets if one["shortable"] and one["fractionable"]))
