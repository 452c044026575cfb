"""Events: published once however often, durable when published, delivered and handled in order, also after kills."""

import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from polars.exceptions import PanicException
from prometheus_client import REGISTRY
from pydantic import SecretStr

from internal.cloud_events import EventBus, make_event
from internal.cloud_events.event import decode_event, encode_event, event_date, read_event
from internal.cloud_events.outbox import event_address
from internal.cloud_events.responses import RecentEvents
from internal.cloud_events.store import EventStore
from internal.cloud_events.worker import LONGEST_WAIT_SECONDS, POLL_SECONDS, wait_seconds
from internal.errors import ConfigurationError, InvalidRequestError, UnavailableError
from internal.event_types import EventType
from internal.http.service import create_service
from libraries.python.tests.loopback import bound_socket, serving

CLOSED = EventType.SESSION_CLOSED
OTHER = EventType.SESSION_OPENED
FIRST = date(2024, 1, 2)
TOKEN = "a-long-token"  # noqa: S105 - of the test alone

type Act = Callable[[CloudEvent], Awaitable[None]]


def closed(number: int = 0, event_type: EventType = CLOSED, **data: object) -> CloudEvent:
    """The event of one of the days after the first."""
    return make_event(event_type, "/exchange", FIRST + timedelta(days=number), data)


class Receiver:
    """A service that notes the events it handled; while `fault` is set, its handler raises it."""

    def __init__(self, state_directory: Path, token: str = "") -> None:
        self.handled: list[str] = []
        self.fault: BaseException | None = None
        self.bus = EventBus(state_directory, "/receiver", [], {CLOSED: self._handle})
        self.application = create_service(
            "receiver", "Notes events", self._lifespan, token=SecretStr(token), readiness={"events": self.bus.check}
        )
        self.application.include_router(self.bus.router())

    async def _handle(self, event: CloudEvent) -> None:
        if self.fault:
            raise self.fault
        self.handled.append(event_date(event).isoformat())

    @asynccontextmanager
    async def _lifespan(self, _application: FastAPI) -> AsyncGenerator[None]:
        async with self.bus:
            yield


@pytest.fixture
def serve() -> Iterator[Callable[[FastAPI], str]]:
    """Serve an application until the test ends; gives its URL."""
    with ExitStack() as stack:
        yield lambda application: stack.enter_context(serving(application))


def free_port() -> int:
    """A port without a listener."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def eventually(holds: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until a condition holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "the condition did not hold in time"
        time.sleep(0.02)


async def noted(bus: EventBus, *deliveries: tuple[str | None, str, str | None]) -> None:
    """Wait until the outbox has these subscribers, states and errors, and no others."""

    async def read() -> set[tuple[str | None, str, str | None]]:
        return {(entry.subscriber, entry.state, entry.last_error) for entry in (await bus.recent()).outbox}

    async with asyncio.timeout(30):
        while await read() != set(deliveries):  # noqa: ASYNC110 - the notes are rows of a file, which sends no signal
            await asyncio.sleep(0.02)


def days(*numbers: int) -> list[str]:
    """The days of events by number."""
    return [(FIRST + timedelta(days=number)).isoformat() for number in numbers]


def publish(directory: Path, subscribers: list[str], *events: CloudEvent, token: str = "") -> None:
    """Publish and wait until all is delivered."""

    async def run() -> None:
        async with EventBus(directory, "/exchange", subscribers, {}, token=SecretStr(token)) as bus:
            for event in events:
                await bus.publish(event)
            await asyncio.wait_for(bus.wait_until_idle(), 30)

    asyncio.run(run())


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


RECEIVER = """
import os, sys, time
from contextlib import asynccontextmanager
from pathlib import Path
import uvicorn
from internal.cloud_events import EventBus
from internal.cloud_events.event import event_date
from internal.event_types import EventType
from internal.http.service import create_service

directory, port, slow = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])

async def note(event):
    time.sleep(slow)  # longer than the gap between events, so that a kill finds some unhandled
    with open(directory / "handled", "a") as file:
        file.write(event_date(event).isoformat() + "\\n")
        file.flush()
        os.fsync(file.fileno())

bus = EventBus(directory, "/receiver", [], {"application.exchange.session.closed": note})

@asynccontextmanager
async def lifespan(application):
    async with bus:
        yield

application = create_service("receiver", "", lifespan, token=None, readiness={})
application.include_router(bus.router())
uvicorn.run(application, port=port, log_config=None)
"""


@contextmanager
def receiver_process(directory: Path, port: int, slow: float) -> Generator[subprocess.Popen[bytes]]:
    """A real receiver as a process, killed with signal 9 when the block ends."""
    process = subprocess.Popen([sys.executable, "-c", RECEIVER, str(directory), str(port), str(slow)])  # noqa: S603 - our own text
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


def handled_by_process(directory: Path) -> list[str]:
    """The days that the receiver's handler recorded."""
    path = directory / "handled"
    return path.read_text().split() if path.exists() else []


def test_a_killed_receiver_loses_nothing(tmp_path: Path) -> None:
    """Killed twice with events in its inbox and on the way: all are handled, in order, each once but for the kills."""
    directory, port = tmp_path / "receiver", free_port()
    directory.mkdir()

    async def run() -> None:
        async with EventBus(tmp_path / "sender", "/exchange", [f"http://127.0.0.1:{port}"], {}) as bus:
            for number in range(15):
                await bus.publish(closed(number))  # before there is a listener
            for reached in (3, 6):
                with receiver_process(directory, port, slow=0.1):
                    await asyncio.to_thread(eventually, lambda: len(handled_by_process(directory)) >= reached)  # noqa: B023 - awaited within the turn
            for number in range(15, 20):
                await bus.publish(closed(number))
            with receiver_process(directory, port, slow=0.0):
                await asyncio.wait_for(bus.wait_until_idle(), 40)
                await asyncio.to_thread(eventually, lambda: len(set(handled_by_process(directory))) == 20)

    asyncio.run(run())
    handled = handled_by_process(directory)
    assert list(dict.fromkeys(handled)) == days(*range(20))
    assert len(handled) <= 22  # a kill between a handler's end and the record of it repeats one event


PUBLISHER = """
import asyncio, os, signal, sys
from datetime import date, timedelta
from pathlib import Path
from internal.cloud_events import EventBus, make_event
from internal.event_types import EventType

async def run():
    async with EventBus(Path(sys.argv[1]), "/exchange", [sys.argv[2]], {}) as bus:
        for number in range(5):
            day = date(2024, 1, 2) + timedelta(days=number)
            await bus.publish(make_event(EventType.SESSION_CLOSED, "/exchange", day, {}))
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(run())
"""


def test_a_killed_publisher_has_published(tmp_path: Path, serve: Callable[[FastAPI], str]) -> None:
    """An event is on disk when publish returns: the next start delivers it."""
    with bound_socket() as (_, nobody):
        arguments = [sys.executable, "-c", PUBLISHER, str(tmp_path / "sender"), f"{nobody}/events"]
        killed = subprocess.run(arguments, check=False, timeout=60)  # noqa: S603 - our own text
    assert killed.returncode == -signal.SIGKILL
    receiver = Receiver(tmp_path / "receiver")
    url = serve(receiver.application)
    with sqlite3.connect(tmp_path / "sender" / "events.sqlite3") as connection:  # the receiver came up elsewhere
        connection.execute("UPDATE deliveries SET subscriber = ?", (f"{url}/events",))
    connection.close()
    publish(tmp_path / "sender", [url])
    eventually(lambda: receiver.handled == days(*range(5)))


FULL_DISK = """
import asyncio, resource, signal, sys
from datetime import date
from pathlib import Path
from internal.cloud_events import EventBus, make_event
from internal.errors import UnavailableError
from internal.event_types import EventType

kind = EventType.SESSION_CLOSED

async def run():
    async with EventBus(Path(sys.argv[1]), "/exchange", [], {}) as bus:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        size = (Path(sys.argv[1]) / "events.sqlite3-wal").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 4096, resource.RLIM_INFINITY))
        try:
            await bus.publish(make_event(kind, "/exchange", date(2024, 1, 2), {"text": "x" * 100_000}))
        except UnavailableError as error:
            print(error.detail)
        print("stored", (await bus.recent()).outbox)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        print("later", await bus.publish(make_event(kind, "/exchange", date(2024, 1, 2), {})))

asyncio.run(run())
"""


def test_a_full_disk_stores_no_partial_event(tmp_path: Path) -> None:
    """Publishing fails, nothing is in the outbox, and with free space the same event is published."""
    arguments = [sys.executable, "-c", FULL_DISK, str(tmp_path)]
    result = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=True)  # noqa: S603 - our own text
    refused, *after = result.stdout.splitlines()
    assert "events.sqlite3 cannot be used" in refused
    assert after == ["stored []", "later True"]


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    """UnavailableError names the file; so does a bus that is not running."""
    (tmp_path / "events.sqlite3").write_bytes(b"not a database" * 100)

    async def run() -> None:
        async with EventBus(tmp_path, "/x", [], {}):
            pass

    with pytest.raises(UnavailableError, match=r"events\.sqlite3 cannot be used"):
        asyncio.run(run())
    with pytest.raises(UnavailableError, match="not running"):
        asyncio.run(EventBus(tmp_path, "/x", [], {}).publish(closed()))


def test_a_bus_ends_and_begins_again(tmp_path: Path) -> None:
    """Leaving closes file and workers; what came in before is handled after."""
    handled: list[str] = []

    async def handle(event: CloudEvent) -> None:
        handled.append(event.get_id())

    async def never(_event: CloudEvent) -> None:
        await asyncio.Event().wait()

    async def run(act: Act, *events: CloudEvent) -> None:
        before = len(asyncio.all_tasks())
        async with EventBus(tmp_path, "/x", [], {CLOSED: act}) as bus:
            for event in events:
                await bus.receive(event)
            if act is handle:
                await asyncio.wait_for(bus.wait_until_idle(), 30)
        assert len(asyncio.all_tasks()) == before

    asyncio.run(run(never, closed(0), closed(1)))
    assert handled == []
    asyncio.run(run(handle))
    assert handled == [closed(0).get_id(), closed(1).get_id()]


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
