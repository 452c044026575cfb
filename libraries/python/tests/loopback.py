"""Serves an application over real HTTP on loopback, for tests."""

import socket
import threading
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

import uvicorn
from fastapi import FastAPI


@contextmanager
def bound_socket() -> Generator[tuple[socket.socket, str]]:
    """A socket that holds a port of loopback and does not listen, and its URL; who connects is refused."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder, f"http://127.0.0.1:{holder.getsockname()[1]}"


@contextmanager
def serving(application: FastAPI, holder: socket.socket | None = None) -> Generator[str]:
    """The application through uvicorn in a thread, on a new port or a bound socket, until the block ends; its URL."""
    with ExitStack() as stack:
        listener = holder or stack.enter_context(bound_socket())[0]
        server = uvicorn.Server(uvicorn.Config(application, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the application did not start"
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)
