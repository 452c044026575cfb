"""The exchange's Polygon routes with a market and a clock that a test sets, on a free port of loopback.

The expected keys are those of the vendor's recorded answers (polygon-api-client's own recordings and the vendor's
pages); the expected moments are worked out by hand or taken from recordings.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
from fastapi import FastAPI

from applications.exchange.tests.exchange_in_process import configure
from applications.exchange.tests.exchange_in_process import serve as serve_application
from applications.exchange.tests.exchange_kit import HTTP
from applications.exchange.tests.vendor_client import VendorClient, connect
from exchange.routes import polygon, polygon_actions, reference
from exchange.statements import Statement
from internal.dates import last_closed_session, session_close
from internal.venue.market.protocol import MarketData

KEY = "a-key-that-must-not-come-back"
GROUPED = "/v2/aggs/grouped/locale/us/market/stocks"


@dataclass
class Clock:
    """A clock that a test sets."""

    moment: datetime

    def now(self) -> datetime:
        """The moment, UTC."""
        return self.moment

    def last_closed_session(self) -> date:
        """The latest session whose close has passed."""
        return last_closed_session(self.moment)


@dataclass
class Statements:
    """How the vendor states corporate actions; a test fills the list."""

    stated: list[Statement] = field(default_factory=list[Statement])

    def list_statements(self) -> list[Statement]:
        """What the test put there."""
        return self.stated


@dataclass
class Exchange:
    """The routes, served on a free port of loopback, with a market and a clock."""

    market: MarketData
    clock: Clock
    statements: "Statements"
    url: str

    def client(self) -> VendorClient:
        """The vendor's own client, its base URL set and nothing else changed."""
        return connect(self.url, KEY)

    def get(self, path: str, **parameters: str | int) -> httpx.Response:
        """One answer, whatever its status."""
        return HTTP.get(self.url + path, params=parameters or None, headers={"Authorization": f"Bearer {KEY}"})

    def body(self, path: str, **parameters: str | int) -> dict[str, Any]:
        """The body of an answer that is 200."""
        response = self.get(path, **parameters)
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return body


def serve(market: MarketData, **settings: str) -> Iterator[Exchange]:
    """Serve the two routers as the exchange's server does, until the generator is closed."""
    clock = Clock(session_close(market.opening_session()))
    application = FastAPI()
    statements = Statements()
    application.state.exchange = SimpleNamespace(market=market, clock=clock, faults=statements)
    application.state.configuration = configure(Path(), exchange_market_data_key="", **settings)
    application.include_router(polygon.router)
    application.include_router(reference.router)
    application.include_router(polygon_actions.router)
    with serve_application(application) as port:
        yield Exchange(market, clock, statements, f"http://127.0.0.1:{port}")


def split_ticker(exchange: Exchange) -> tuple[str, date, float]:
    """A ticker that split in the past, the day, and new shares per old one."""
    splits = exchange.market.splits(date(2023, 1, 1), exchange.clock.last_closed_session())
    row = splits.join(splits.group_by("ticker").len().filter(len=1), on="ticker", how="semi").row(0, named=True)
    return row["ticker"], row["execution_date"], row["split_to"] / row["split_from"]
