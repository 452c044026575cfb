"""The whole exchange in a thread of the test's own process: the real application on a small market, over loopback."""

import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from applications.exchange.tests.exchange_kit import KEY_ID, SECRET
from exchange.configuration import Configuration
from exchange.server import create_application
from exchange.services import Exchange

MARKET_DATA_KEY = "a-market-data-key"
HEADERS = {"APCA-API-KEY-ID": KEY_ID, "APCA-API-SECRET-KEY": SECRET}


@dataclass(frozen=True)
class LocalExchange:
    """An exchange that answers in this process."""

    http: httpx.Client
    url: str
    application: FastAPI

    @property
    def exchange(self) -> Exchange:
        """The exchange itself."""
        found = self.application.state.exchange
        assert isinstance(found, Exchange)
        return found

    def trade(self, method: str, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own arguments
        """A request to the trading API; `path` begins with its version."""
        return self.http.request(method, path, headers=HEADERS, **more)

    def order(self, **terms: object) -> httpx.Response:
        """`POST /v2/orders`, by default one share of `symbol` bought at the market for the day."""
        body = {"qty": "1", "side": "buy", "type": "market", "time_in_force": "day"} | terms
        return self.trade("POST", "/v2/orders", json=body)

    def look_up(self, path: str, key: str = MARKET_DATA_KEY) -> httpx.Response:
        """A request to the market data API."""
        return self.http.get(path, headers={"Authorization": f"Bearer {key}"})

    def move(self, to: str) -> None:
        """Moves the clock to `next_open` or `next_close`."""
        self.http.post("/control/clock", json={"to": to}).raise_for_status()


def configure(state_directory: Path, **settings: object) -> Configuration:
    """The settings of a small exchange: twelve simulated tickers, the tests' keys."""
    own: dict[str, object] = {
        "state_directory": state_directory,
        "exchange_api_key_id": KEY_ID,
        "exchange_api_secret": SECRET,
        "exchange_market_data_key": MARKET_DATA_KEY,
        "exchange_ticker_count": 12,
    }
    return Configuration.model_validate(own | settings)


@contextmanager
def run_exchange(state_directory: Path, **settings: object) -> Generator[LocalExchange]:
    """The exchange on what the folder holds; it ends with the block."""
    application = create_application(configure(state_directory, **settings))
    with (
        serve(application) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as http,
    ):
        yield LocalExchange(http, f"http://127.0.0.1:{port}", application)


@contextmanager
def serve(application: FastAPI) -> Generator[int]:
    """The application on a free port, in a thread."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(application, log_level="error", log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        try:
            yield int(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join()
