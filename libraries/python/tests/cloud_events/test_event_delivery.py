"""Events are published once, delivered and handled in order, and retried; one subscriber delays no other."""

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cloudevents.core.v1.event import CloudEvent
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from polars.exceptions import PanicException
from prometheus_client import REGISTRY
from pydantic import SecretStr

from internal.cloud_events import EventBus, make_event
from internal.cloud_events.outbox import event_address
from internal.cloud_events.store import EventStore
from internal.cloud_events.worker import LONGEST_WAIT_SECONDS, POLL_SECONDS, wait_seconds
from internal.errors import ConfigurationError, UnavailableError
from libraries.python.tests.cloud_events.event_receiver import (
    CLOSED,
    FIRST,
    Receiver,
    closed,
    days,
    eventually,
    publish,
)
from libraries.python.tests.loopback import bound_socket, serving

TOKEN = "a-long-token"  # noqa: S105 - of the test alone


async def noted(bus: EventBus, *deliveries: tuple[str | None, str, str | None]) -> None:
    """Wait until the outbox has these subscribers, states and errors, and no others."""

    async def read() -> set[tuple[str | None, str, str | None]]:
        return {(entry.subscriber, entry.state, entry.last_error) for entry in (await bus.recent()).outbox}

    async with asyncio.timeout(30):
        while await read() != set(deliveries):  # noqa: ASYNC110 - the notes are rows of a file, which sends no signal
            await asyncio.sleep(0.02)


def test_delivered_in_order_and_handled_once(tmp_path: Path, serve: Callable[[FastAPI], str]) -> None:
    """Twenty events arrive in their order; published again, they are the same events."""
    receiver = Receiver(tmp_path / "receiver")
    url = serve(receiver.application)
    events = [closed(number) for number in range(20)]
    publish(tmp_path / "sender", [url], *events, *events)
    publish(tmp_path / "other", [f"{url}/events"], *events)  # another outbox, e.g. of a sender that lost its file

    def inbox() -> list[dict[str, Any]]:
        return httpx.get(f"{url}/events", trust_env=False).json()["inbox"]

    eventually(lambda: [entry["state"] for entry in inbox()] == ["handled"] * 20)
    assert receiver.handled == days(*range(20))
    assert inbox()[0].keys() == {"id", "type", "time", "state", "attempts", "last_error", "source"}


def test_publishing_twice(tmp_path: Path) -> None:
    """True for a new event, False for a stored one; the same id of another source is another event."""

    async def run() -> list[bool]:
        async with EventBus(tmp_path, "/exchange", [], {}) as bus:
            other = make_event(CLOSED, "/other", FIRST, {})
            return [await bus.publish(event) for event in (closed(), closed(rows=1), other)]

    assert asyncio.run(run()) == [True, False, True]


def test_a_failing_handler_is_retried_and_shown(tmp_path: Path, serve: Callable[[FastAPI], str]) -> None:
    """The event stays first; readiness and GET /events show it without the secret; in the end nothing is lost."""
    receiver = Receiver(tmp_path / "receiver")
    url = serve(receiver.application)
    receiver.fault = RuntimeError("password hunter2")
    publish(tmp_path / "sender", [url], closed(0), closed(1))
    eventually(lambda: httpx.get(f"{url}/ready", trust_env=False).status_code == 503)
    entries = httpx.get(f"{url}/events", trust_env=False).json()["inbox"]
    assert [entry["state"] for entry in entries] == ["pending", "pending"]
    assert entries[1]["attempts"] >= 3
    assert entries[1]["last_error"] == "RuntimeError"
    assert entries[0]["attempts"] == 0
    metrics = httpx.get(f"{url}/metrics", trust_env=False).text
    assert 'events_pending{box="inbox",service="receiver"} 2.0' in metrics
    assert 'events_failed_attempts_total{box="inbox",service="receiver"}' in metrics
    receiver.fault = UnavailableError("datamanager does not answer")
    eventually(lambda: "Unavailable: datamanager" in httpx.get(f"{url}/events", trust_env=False).text)
    receiver.fault = PanicException("a panic of Polars, which is no Exception")
    eventually(lambda: '"PanicException"' in httpx.get(f"{url}/events", trust_env=False).text)
    receiver.fault = None
    eventually(lambda: receiver.handled == days(0, 1))
    assert httpx.get(f"{url}/ready", trust_env=False).status_code == 200
    assert httpx.get(f"{url}/events", trust_env=False).json()["inbox"][1]["last_error"] is None


def test_a_subscriber_that_is_down_delays_no_other(tmp_path: Path, serve: Callable[[FastAPI], str]) -> None:
    """A subscriber that is up gets every event; one that comes back gets what it missed, in order."""
    up, down = Receiver(tmp_path / "up"), Receiver(tmp_path / "down")
    up_url = serve(up.application)

    async def run(holder: socket.socket, down_url: str) -> None:
        async with EventBus(tmp_path / "sender", "/sender", [down_url, up_url], {}) as bus:
            for number in range(5):
                await bus.publish(closed(number))
            # what the sender has noted: it comes after what the receiver has handled
            await noted(
                bus,
                (f"{down_url}/events", "pending", None),
                (f"{down_url}/events", "pending", "not reached: ConnectError"),
                (f"{up_url}/events", "delivered", None),
            )
            await bus.check()  # a subscriber that is down does not make the sender unready, and all is counted again
            assert REGISTRY.get_sample_value("events_pending", {"service": "sender", "box": "outbox"}) == 5
            with serving(down.application, holder):
                await asyncio.wait_for(bus.wait_until_idle(), 30)
                await asyncio.to_thread(eventually, lambda: down.handled == days(*range(5)))

    with bound_socket() as (holder, down_url):
        asyncio.run(run(holder, down_url))
    eventually(lambda: up.handled == days(*range(5)))
    assert REGISTRY.get_sample_value("events_failed_attempts_total", {"service": "sender", "box": "outbox"})


def test_a_late_count_shows_nothing_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two counts at once, the metric keeps the figures of the one that read last."""
    started, may_end = threading.Event(), threading.Event()
    read = EventStore.pending

    def read_slowly(store: EventStore, subscribers: Sequence[str]) -> tuple[int, int]:
        figures = read(store, subscribers)
        if not started.is_set():
            started.set()
            assert may_end.wait(30)
        return figures

    async def run() -> None:
        async with EventBus(tmp_path, "/counted", ["http://127.0.0.1:9"], {}) as bus:
            monkeypatch.setattr(EventStore, "pending", read_slowly)
            first = asyncio.create_task(bus.check())
            assert await asyncio.to_thread(started.wait, 30)
            second = asyncio.create_task(bus.publish(closed()))
            await asyncio.wait([second], timeout=0.3)
            may_end.set()
            await asyncio.gather(first, second)
            assert REGISTRY.get_sample_value("events_pending", {"service": "counted", "box": "outbox"}) == 1

    asyncio.run(run())


def test_events_of_another_process_are_handled(tmp_path: Path) -> None:
    """In an update two processes share a file: the new one handles what the old one received and did not finish."""
    old, new = Receiver(tmp_path), Receiver(tmp_path)
    old.fault = UnavailableError("it is about to end")

    async def run() -> None:
        async with new.bus:
            async with old.bus:
                await new.bus.wait_until_idle()
                await old.bus.receive(closed(0))
            await asyncio.wait_for(new.bus.wait_until_idle(), POLL_SECONDS + LONGEST_WAIT_SECONDS)

    asyncio.run(run())
    assert days(0) == new.handled
    assert [] == old.handled


def test_the_token_is_sent(tmp_path: Path, serve: Callable[[FastAPI], str]) -> None:
    """With the token events arrive; without it they stay pending, with the reason."""
    receiver = Receiver(tmp_path / "receiver", token=TOKEN)
    url = serve(receiver.application)
    publish(tmp_path / "sender", [url], closed(0), token=TOKEN)
    eventually(lambda: receiver.handled == days(0))

    async def run() -> None:
        async with EventBus(tmp_path / "stranger", "/stranger", [url], {}) as bus:
            await bus.publish(closed(1))
            await noted(bus, (f"{url}/events", "pending", "answered 401"))

    asyncio.run(run())
    publish(tmp_path / "stranger", [url], token=TOKEN)  # the same outbox, with the token now
    eventually(lambda: receiver.handled == days(0, 1))


def test_a_token_that_no_header_can_carry(tmp_path: Path) -> None:
    """The setting is named, its value is not."""

    async def run() -> None:
        async with EventBus(tmp_path, "/x", [], {}, token=SecretStr("geheimnis-ü€")):
            pass

    with pytest.raises(ConfigurationError, match="FUND_API_TOKEN") as raised:
        asyncio.run(run())
    assert "geheimnis" not in raised.value.detail


@pytest.mark.parametrize(
    ("subscriber", "address"),
    [
        ("http://a:8080", "http://a:8080/events"),
        ("http://a:8080/", "http://a:8080/events"),
        ("http://a:8080/events", "http://a:8080/events"),
        ("https://a/fund/events", "https://a/fund/events"),
    ],
)
def test_addresses(subscriber: str, address: str) -> None:
    """A service's base URL means its /events."""
    assert address == event_address(subscriber)


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_waits_grow_to_a_limit(failures: int, spread: float) -> None:
    """Each wait is at most twice the one before, never more than the longest, never nothing."""
    assert 0 < wait_seconds(failures, spread) <= LONGEST_WAIT_SECONDS
    assert wait_seconds(failures + 1, spread) >= wait_seconds(failures, spread)


def test_time_is_kept(tmp_path: Path) -> None:
    """GET /events shows when an event was made, in ISO 8601."""
    moment = datetime(2024, 1, 2, 21, tzinfo=UTC)

    async def run() -> str:
        async with EventBus(tmp_path, "/x", [], {}) as bus:
            await bus.publish(CloudEvent({"type": "t", "source": "/x", "id": "1", "time": moment}, {}))
            return str((await bus.recent()).outbox[0].time)

    assert datetime.fromisoformat(asyncio.run(run())) == moment
    assert os.listdir(tmp_path)  # noqa: PTH208 - names are enough
