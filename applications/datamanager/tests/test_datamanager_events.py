"""Events that datamanager receives and publishes."""

from pathlib import Path

import httpx

from applications.datamanager.tests.datamanager_service import (
    closed_event,
    read,
    run_datamanager,
    wait_for_events,
)
from applications.datamanager.tests.datamanager_vendor import Vendor


def test_closed_session_is_ingested_and_published(vendor: Vendor, tmp_path: Path) -> None:
    """The exchange's event, received twice, ingests the session and publishes equity_bars.synced once."""
    structured = {"Content-Type": "application/cloudevents+json"}
    with (
        run_datamanager(vendor, tmp_path / "receiver") as receiver,
        run_datamanager(vendor, tmp_path / "one", [f"{receiver.base_url}/events"]) as client,
    ):
        for _ in range(2):
            assert client.post("/events", json=closed_event("2024-03-28"), headers=structured).status_code == 204
        (sent,) = wait_for_events(client, "outbox", 1)
        assert sent["type"] == "application.datamanager.equity_bars.synced"
        assert sent["id"] == "application.datamanager.equity_bars.synced:2024-03-28"
        wait_for_events(client, "inbox", 1)
        assert len(vendor.requests_of("/v2/aggs")) == 1
        assert [event["type"] for event in wait_for_events(receiver, "inbox", 1)] == [
            "application.datamanager.equity_bars.synced"
        ]
        assert read(client, "/equity-bars", start_date="2024-03-28", end_date="2024-03-28").height == 3


def test_event_without_a_session_is_dropped(client: httpx.Client, vendor: Vendor) -> None:
    """The event of a Saturday is dropped, of a day outside the calendar refused; the session after them is ingested."""
    structured = {"Content-Type": "application/cloudevents+json"}
    answers = [
        client.post("/events", json=closed_event(day), headers=structured).status_code
        for day in ("2024-03-30", "2999-01-01", "2024-03-28")
    ]
    assert answers == [204, 422, 204]
    wait_for_events(client, "inbox", 2)
    assert [path[-10:] for path in vendor.requests_of("/v2/aggs")] == ["2024-03-28"]


def test_only_the_latest_requested_session_is_published(vendor: Vendor, tmp_path: Path) -> None:
    """Requesting the latest closed session publishes it, present or not; an older one and a backfill do not."""
    with (
        run_datamanager(vendor, tmp_path / "receiver") as receiver,
        run_datamanager(vendor, tmp_path / "one", [f"{receiver.base_url}/events"]) as client,
    ):
        client.post("/equity-bars", json={"start_date": "2024-03-26", "end_date": "2024-03-28"}).raise_for_status()
        client.post("/equity-bars", json={"date": "2024-03-25"}).raise_for_status()
        assert client.get("/events").json()["outbox"] == []
        client.post("/equity-bars", json={"date": "2024-03-28"}).raise_for_status()
        (sent,) = wait_for_events(client, "outbox", 1)
        assert sent["id"] == "application.datamanager.equity_bars.synced:2024-03-28"
