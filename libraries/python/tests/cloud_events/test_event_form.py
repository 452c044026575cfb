"""What an event is: its attributes, every form in which it is sent, and what a receiver refuses."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from internal.cloud_events import EventBus, make_event
from internal.cloud_events.event import decode_event, encode_event, read_event
from internal.cloud_events.responses import RecentEvents
from internal.errors import InvalidRequestError
from internal.event_types import EventType
from libraries.python.tests.cloud_events.event_receiver import (
    CLOSED,
    FIRST,
    Receiver,
    closed,
    days,
    eventually,
    publish,
)
from libraries.python.tests.loopback import serving

OTHER = EventType.SESSION_OPENED


def test_an_event_follows_the_contract() -> None:
    """Id of type and day, JSON data with the date."""
    event = make_event(CLOSED, "/exchange", FIRST, {"rows": 5})
    assert event.get_id() == "application.exchange.session.closed:2024-01-02"
    assert (event.get_source(), event.get_type(), event.get_specversion()) == ("/exchange", CLOSED, "1.0")
    assert event.get_data() == {"date": "2024-01-02", "rows": 5}
    assert event.get_datacontenttype() == "application/json"


@given(st.dates(), st.dictionaries(st.text(), st.one_of(st.integers(-(2**40), 2**40), st.text(), st.booleans())))
def test_an_event_survives_every_form(day: date, data: dict[str, Any]) -> None:
    """Stored, sent structured and sent binary by the SDK: the same event comes back."""
    event = make_event(CLOSED, "/exchange", day, {**data, "date": day.isoformat()})
    for message in (to_structured_event(event), to_binary_event(event)):
        again = read_event(message.headers, message.body)
        assert again.get_attributes() == event.get_attributes()
        assert again.get_data() == event.get_data()
    assert decode_event(encode_event(event)).get_data() == event.get_data()


def test_data_that_is_not_json_is_refused(tmp_path: Path) -> None:
    """Publishing fails, and nothing is stored."""

    async def run() -> None:
        async with EventBus(tmp_path, "/exchange", [], {}) as bus:
            with pytest.raises(InvalidRequestError, match="cannot be written as JSON"):
                await bus.publish(closed(thing=object()))
            assert await bus.recent() == RecentEvents(outbox=[], inbox=[])

    asyncio.run(run())


def test_types_without_a_handler_are_accepted(tmp_path: Path, serve: Callable[[FastAPI], str]) -> None:
    """204 and the state ignored, whatever their data; later events are handled."""
    receiver = Receiver(tmp_path / "receiver")
    url = serve(receiver.application)
    odd = CloudEvent({"type": "something.else", "source": "/x", "id": "1"}, None)
    publish(tmp_path / "sender", [url], odd, closed(1, OTHER), closed(2))
    eventually(lambda: receiver.handled == days(2))
    inbox = httpx.get(f"{url}/events", trust_env=False).json()["inbox"]
    assert [entry["state"] for entry in inbox][1:] == ["ignored", "ignored"]


def structured(**faults: object) -> bytes:
    """An event's body with these attributes; None removes one."""
    attributes = {"specversion": "1.0", "id": "1", "source": "/x", "type": CLOSED, "data": {"date": "2024-01-02"}}
    present = {name: value for name, value in {**attributes, **faults}.items() if value is not None}
    return httpx.Request("POST", "http://x", json=present).content


JSON_EVENT = {"content-type": "application/cloudevents+json"}


@pytest.fixture(scope="module")
def one_receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A receiver for all malformed events; its URL."""
    with serving(Receiver(tmp_path_factory.mktemp("receiver")).application) as url:
        yield url


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        (JSON_EVENT, b"", 400),
        (JSON_EVENT, b"{", 400),
        (JSON_EVENT, b"[]", 400),
        (JSON_EVENT, b"\xff\xfe", 400),
        (JSON_EVENT, b"[" * 100_000, 400),
        (JSON_EVENT, structured(id=None), 400),
        (JSON_EVENT, structured(id=""), 400),
        (JSON_EVENT, structured(specversion=None), 400),
        ({"ce-specversion": "1.0", "ce-type": CLOSED, "ce-source": "/x"}, b'{"date": "2024-01-02"}', 400),
        (JSON_EVENT, structured(id=5), 400),
        (JSON_EVENT, structured(source=None), 400),
        (JSON_EVENT, structured(type=None), 400),
        (JSON_EVENT, structured(specversion="0.3"), 400),
        (JSON_EVENT, structured(time="yesterday"), 400),
        (JSON_EVENT, structured(time=5), 400),
        (JSON_EVENT, structured(data={"date": "2024-13-01"}), 400),
        (JSON_EVENT, structured(data={}), 400),
        (JSON_EVENT, structured(data="2024-01-02"), 400),
        ({"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/x"}, b"{}", 400),
        ({"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/x", "ce-type": CLOSED}, b"<html>", 400),
        ({"content-type": "application/json"}, structured(), 415),
        ({"content-type": "application/cloudevents-batch+json"}, b"[]", 415),
        ({}, b"", 415),
    ],
)
def test_malformed_events_are_refused(headers: dict[str, str], body: bytes, status: int, one_receiver: str) -> None:
    """A problem with the fault; nothing is stored, and the service goes on."""
    url = one_receiver
    response = httpx.post(f"{url}/events", headers=headers, content=body, trust_env=False)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"]
    assert httpx.get(f"{url}/events", trust_env=False).json()["inbox"] == []
    assert httpx.get(f"{url}/ready", trust_env=False).status_code == 200


@pytest.mark.parametrize("day", ["2999-01-02", "1980-01-02"])
def test_a_date_outside_the_calendar_is_refused(day: str, tmp_path: Path, serve: Callable[[FastAPI], str]) -> None:
    """No handler could ever succeed: it is refused, and nothing is stored."""
    receiver = Receiver(tmp_path / "receiver")
    url = serve(receiver.application)
    body = structured(data={"date": day})
    answer = httpx.post(f"{url}/events", headers=JSON_EVENT, content=body, trust_env=False)
    assert answer.status_code == 422
    assert "outside the calendar" in answer.json()["detail"]
    assert httpx.get(f"{url}/events", trust_env=False).json()["inbox"] == []
