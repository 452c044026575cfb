"""What is published survives kills, a full disk, a damaged file and the end of a bus."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cloudevents.core.v1.event import CloudEvent
from fastapi import FastAPI

from internal.cloud_events import EventBus
from internal.errors import UnavailableError
from libraries.python.tests.cloud_events.event_receiver import (
    CLOSED,
    Receiver,
    closed,
    days,
    eventually,
    publish,
)
from libraries.python.tests.free_ports import free_port
from libraries.python.tests.loopback import bound_socket

type Act = Callable[[CloudEvent], Awaitable[None]]


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
        sys.dont_write_bytecode = True
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
