"""Events that can never be handled or delivered are parked, and sent again by hand."""

import asyncio
from collections.abc import Callable
from datetime import date
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import REGISTRY

from internal.cloud_events import EventBus, make_event
from internal.errors import InvalidRequestError
from libraries.python.tests.cloud_events.event_receiver import (
    CLOSED,
    Receiver,
    closed,
    days,
    eventually,
    publish,
)


def test_what_fails_for_ever_is_parked(
    tmp_path: Path, serve: Callable[[FastAPI], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its attempts the event no longer blocks the next one; by hand it is handled again."""
    monkeypatch.setattr("internal.cloud_events.inbox.INVALID_ATTEMPTS", 2)
    receiver = Receiver(tmp_path / "receiver")
    url = serve(receiver.application)

    def states() -> list[str]:
        return [entry["state"] for entry in httpx.get(f"{url}/events", trust_env=False).json()["inbox"]]

    receiver.fault = InvalidRequestError("this day can never be handled")
    publish(tmp_path / "sender", [url], closed(0))
    eventually(lambda: states() == ["parked"])
    receiver.fault = None
    publish(tmp_path / "sender", [url], closed(1))
    eventually(lambda: states() == ["handled", "parked"])
    assert receiver.handled == days(1)
    again = {"id": closed(0).get_id()}
    assert httpx.post(f"{url}/events/redeliveries", json=again, trust_env=False).status_code == 204
    eventually(lambda: states() == ["handled", "handled"])
    assert httpx.post(f"{url}/events/redeliveries", json=again, trust_env=False).status_code == 404


def test_what_a_subscriber_refuses_for_ever_is_parked_at_the_sender(
    tmp_path: Path, serve: Callable[[FastAPI], str]
) -> None:
    """The event after it is delivered; by hand it is sent again, and parked again while it is still refused."""
    receiver = Receiver(tmp_path / "receiver")
    url, sender = serve(receiver.application), {"service": "parking", "box": "outbox"}
    refused = make_event(CLOSED, "/exchange", date(2999, 1, 2), {})

    async def run() -> None:
        async with EventBus(tmp_path / "sender", "/parking", [url], {}) as bus:
            for event in (refused, closed(0)):
                await bus.publish(event)
            for deliveries in (1, 0):
                await asyncio.wait_for(bus.wait_until_idle(), 30)
                states = [(entry.state, entry.last_error) for entry in (await bus.recent()).outbox]
                assert states == [("delivered", None), ("parked", "answered 422")]
                assert REGISTRY.get_sample_value("events_parked", sender) == 1
                assert await bus.redeliver(refused.get_id() if deliveries else "unknown") == deliveries

    asyncio.run(run())
    eventually(lambda: receiver.handled == days(0))
