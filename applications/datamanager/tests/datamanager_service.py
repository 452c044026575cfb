"""Runs datamanager in the tests' process, asks it over HTTP, and waits for its events."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import polars as pl
import pytest
from pydantic import SecretStr

from applications.datamanager.tests.datamanager_vendor import KEY, Vendor, serve
from datamanager.configuration import Configuration
from datamanager.server import create_application
from internal.http.client import read_frame_response

SESSION = date(2024, 3, 28)
PREDICTION = {
    "date": "2024-03-28",
    "ticker": "AAA",
    "target_date": "2024-04-01",
    "horizon": 1,
    "quantile_10": -0.02,
    "quantile_50": 0.0,
    "quantile_90": 0.02,
    "model_version": "m1",
    "bars_version": 3,
}


@contextmanager
def run_datamanager(
    vendor: Vendor, folder: Path, subscribers: list[str] | None = None, token: str = "", *, declared: bool = True
) -> Generator[httpx.Client]:
    """Run a datamanager whose lake and state are in the folder; a client of it."""
    configuration = Configuration(
        state_directory=folder / "state",
        data_bucket=str(folder / "lake"),
        polygon_api_key=SecretStr(KEY),
        polygon_base_url=vendor.url,
        polygon_requests_per_minute=0,
        edgar_user_agent="A fund of the tests admin@example.com" if declared else None,
        edgar_base_url=vendor.url,
        edgar_data_base_url=vendor.url,
        edgar_requests_per_second=0,
        event_subscribers=subscribers or [],
        fund_api_token=SecretStr(token),
    )
    with serve(create_application(configuration)) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def problem(response: httpx.Response, status: int) -> str:
    """The detail of a problem response with that status."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("application/problem+json")
    body = response.json()
    assert body["status"] == status
    return str(body["detail"])


def read(client: httpx.Client, path: str, **query: str) -> pl.DataFrame:
    """The frame of a GET response."""
    return read_frame_response(client.get(path, params=query))


def closed_event(day: str) -> dict[str, object]:
    """The exchange's event of a closed session, structured."""
    return {
        "specversion": "1.0",
        "id": f"application.exchange.session.closed:{day}",
        "type": "application.exchange.session.closed",
        "source": "/exchange",
        "datacontenttype": "application/json",
        "data": {"date": day},
    }


def wait_for_events(client: httpx.Client, box: str, count: int) -> list[dict[str, object]]:
    """The events of the box once that many are processed; fails after a minute."""
    deadline = datetime.now(UTC).timestamp() + 60
    while datetime.now(UTC).timestamp() < deadline:
        events: list[dict[str, object]] = client.get("/events").json()[box]
        if len(events) >= count and all(event["state"] in {"handled", "delivered", "ignored"} for event in events):
            return events
    pytest.fail(f"{box}: {client.get('/events').json()}")
