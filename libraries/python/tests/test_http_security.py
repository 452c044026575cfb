"""What protects a service from pages of the internet, from other machines, and from clients that never ask anything."""

import asyncio
import socket
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from polars.exceptions import PanicException
from pydantic import SecretStr

from internal.errors import ConfigurationError, UnavailableError
from internal.http import run as run_module
from internal.http.background import BackgroundTasks
from internal.http.service import create_service
from libraries.python.tests.loopback import serving


@asynccontextmanager
async def nothing(_application: FastAPI) -> AsyncGenerator[None]:
    """No components."""
    yield


def make_application() -> FastAPI:
    """A service without a token and with a route that panics as Polars does."""
    application = create_service("guarded", "Is attacked", nothing, token=SecretStr(""), readiness={})

    @application.get("/panic")
    def panic() -> None:
        raise PanicException("a panic of Polars, which is no Exception")

    return application


def test_names_of_other_hosts_are_refused() -> None:
    """DNS rebinding: a page's own name that leads to this machine is answered 421; names of this machine are served."""
    with serving(make_application()) as url:
        port = httpx.URL(url).port
        for host, status in (
            ("attacker.example", 421),
            (f"attacker.example:{port}", 421),
            ("127.0.0.1.attacker.example", 421),
            (f"localhost:{port}", 200),
            (f"[::1]:{port}", 200),
            ("127.0.0.1", 200),
        ):
            answer = httpx.get(f"{url}/health", headers={"Host": host}, trust_env=False)
            assert answer.status_code == status, host


def test_every_answer_forbids_what_pages_do_not_need() -> None:
    """Also those of refusals: no script, no frame, no guessing of types, no referrer."""
    with serving(make_application()) as url:
        for path in ("/health", "/nowhere", "/panic"):
            headers = httpx.get(f"{url}{path}", trust_env=False).headers
            assert "default-src 'none'" in headers["content-security-policy"]
            assert "script" not in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
            assert headers["referrer-policy"] == "same-origin"


def test_a_panic_is_a_problem() -> None:
    """A panic of Polars is answered as any other fault: a problem without internals."""
    with serving(make_application()) as url:
        answer = httpx.get(f"{url}/panic", trust_env=False)
        assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
        assert "panic of Polars" not in answer.text


def test_other_machines_need_a_token() -> None:
    """Listening beyond loopback without a token is refused before anything is opened."""
    with pytest.raises(ConfigurationError, match="FUND_API_TOKEN is not set"):
        run_module.run(f"{__name__}:make_application", "0.0.0.0", 0)  # noqa: S104 - it is refused


def test_silent_connections_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing sent, or half a request: the connection is closed; the service goes on."""
    monkeypatch.setattr(run_module, "REQUEST_SECONDS", 0.3)
    application = make_application()
    config = uvicorn.Config(application, host="127.0.0.1", port=0, log_config=None, lifespan="off")
    server = run_module.DrainingServer(config, application, 0)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        address = listener.getsockname()
        silent = [socket.create_connection(address, timeout=30) for _ in range(20)]
        silent[0].sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n")
        assert [one.recv(1) for one in silent] == [b""] * 20  # closed by the service
        monkeypatch.undo()  # a busy machine may take long to send a request
        answer = httpx.get(f"http://127.0.0.1:{address[1]}/health", trust_env=False)
        assert answer.status_code == 200
        for one in silent:
            one.close()
        server.should_exit = True
        thread.join()


def test_background_tasks_are_started_again_and_shown() -> None:
    """A task that panics is not ready, and runs again; one that ends by itself does not."""
    runs: list[str] = []
    failed, again = asyncio.Event(), asyncio.Event()

    async def fails_once() -> None:
        runs.append("fails once")
        if len([one for one in runs if one == "fails once"]) == 1:
            failed.set()
            raise PanicException("a damaged file")
        again.set()
        await asyncio.Event().wait()

    async def ends() -> None:
        runs.append("ends")

    async def run() -> None:
        tasks = BackgroundTasks({"fails once": fails_once, "ends": ends}, restart_seconds=0.2)
        async with tasks:
            await failed.wait()
            await asyncio.sleep(0)
            with pytest.raises(UnavailableError, match="fails once failed: PanicException"):
                await tasks.check()
            await again.wait()
            await tasks.check()

    asyncio.run(run())
    assert (runs.count("fails once"), runs.count("ends")) == (2, 1)
