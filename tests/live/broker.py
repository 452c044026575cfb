"""The exchange under the names of broker and vendors, and what an owner and the tests ask it."""

import os
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from internal.modes import LIVE_HOST, PAPER_HOST
from live.certificates import Certificates
from live.own_network import ADDRESS

HOSTS: Final = (LIVE_HOST, PAPER_HOST, "data.alpaca.markets", "api.polygon.io", "www.sec.gov", "data.sec.gov")
START_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Broker:
    """The exchange, reached at one of the broker's hosts.

    Args:
        host: The host.
        keys: What the exchange takes, as environment variables.
    """

    host: str
    keys: Mapping[str, str]

    def request(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - any JSON
        """The JSON of an answer, with the owner's keys. Raises httpx.HTTPError."""
        headers = {"APCA-API-KEY-ID": self.keys["ALPACA_API_KEY_ID"]}
        headers["APCA-API-SECRET-KEY"] = self.keys["ALPACA_API_SECRET"]
        answer = httpx.request(
            method, f"https://{self.host}{path}", json=body, headers=headers, timeout=60, trust_env=False
        )
        answer.raise_for_status()
        return answer.json()

    def orders(self) -> list[dict[str, Any]]:
        """Every order that it ever accepted."""
        found: list[dict[str, Any]] = self.request("GET", "/control/orders")["orders"]
        return found

    def positions(self) -> list[dict[str, Any]]:
        """What the account holds."""
        found: list[dict[str, Any]] = self.request("GET", "/v2/positions")
        return found

    def account_number(self) -> str:
        """What an owner reads on the broker's page."""
        return str(self.request("GET", "/v2/account")["account_number"])

    def pass_session(self) -> str:
        """Move the clock through the next open and close; the session's date."""
        self.request("POST", "/control/clock", {"to": "next_open"})
        return str(self.request("POST", "/control/clock", {"to": "next_close"})["session"])

    def is_up(self) -> bool:
        """Whether it answers."""
        try:
            self.request("GET", "/health")
        except httpx.HTTPError:
            return False
        return True


@contextmanager
def serve_broker(folder: Path, host: str, keys: Mapping[str, str], certificates: Certificates) -> Generator[Broker]:
    """A new exchange of 60 tickers whose account takes the keys."""
    state, certificate, key = folder / "exchange", folder / "certificate.pem", folder / "key.pem"
    state.mkdir()
    certificate.write_bytes(certificates.certificate)
    key.write_bytes(certificates.key)
    variables = {
        "STATE_DIRECTORY": str(state),
        "EXCHANGE_API_KEY_ID": keys["ALPACA_API_KEY_ID"],
        "EXCHANGE_API_SECRET": keys["ALPACA_API_SECRET"],
        "EXCHANGE_SIP_DELAY_MINUTES": "0",
        "EXCHANGE_TICKER_COUNT": "60",
    }
    words = [sys.executable, "-m", "live.exchange_over_tls", ADDRESS, str(certificate), str(key)]
    own, broker = {"PYTHONPATH": str(Path(__file__).parents[1])}, Broker(host, keys)
    with subprocess.Popen(words, env=os.environ | variables | own, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - our own
        try:
            deadline = time.monotonic() + START_SECONDS
            while not broker.is_up():
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
            yield broker
        finally:
            process.terminate()
