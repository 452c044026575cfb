"""Runs a service until SIGTERM; then it drains, stops listening, finishes running requests, and ends.

`python -m internal.http.run datamanager.server:create_application --port 8080`.
"""

import argparse
import gc
import os
import signal
import sys
import time
from types import FrameType
from typing import Any, override

import uvicorn
from fastapi import FastAPI
from uvicorn.importer import import_from_string

from internal.errors import ConfigurationError
from internal.modes import is_loopback
from internal.telemetry import get_logger

PRIVATE = 0o077  # lake, SQLite and logs are for their owner alone
REQUEST_SECONDS = 30.0  # for the head of a request to arrive
FINISH_SECONDS = 10  # for requests that still run when the service stops listening


class DrainingServer(uvicorn.Server):
    """Uvicorn that goes on answering for `drain_seconds` after SIGTERM, while `/ready` answers "draining" (503).

    Before the port closes, a proxy that polls `/ready` or refreshes its list of tasks sends its requests elsewhere.
    Meanwhile responses carry `Connection: close`, so that no caller keeps a connection for later. A second SIGTERM, or
    Ctrl-C, ends it without waiting.
    """

    def __init__(self, config: uvicorn.Config, application: FastAPI, drain_seconds: float) -> None:
        super().__init__(config)
        self._application, self._drain_seconds = application, drain_seconds
        self._end = float("inf")  # of the drain, on the monotonic clock
        self._silent_since: dict[Any, float] = {}

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Start to drain, or end."""
        drains = sig == signal.SIGTERM and self.started and self._drain_seconds > 0 and not self._is_draining()
        super().handle_exit(sig, frame)
        if drains:
            self.should_exit = False
            self._application.state.draining = True
            self._end = time.monotonic() + self._drain_seconds
            get_logger(__name__).info("draining", seconds=self._drain_seconds)

    def _is_draining(self) -> bool:
        return bool(self._application.state.draining)

    @override
    async def on_tick(self, counter: int) -> bool:
        """Whether to leave the main loop; uvicorn calls this every tenth of a second."""
        self._drop_silent_connections()
        self.should_exit = self.should_exit or time.monotonic() >= self._end
        return await super().on_tick(counter)

    def _drop_silent_connections(self) -> None:
        """Close connections on which no request has arrived whole in time: each holds a file of this process.

        Uvicorn itself ends only those that have had a request. A connection that was upgraded to a WebSocket is none.
        """
        now = time.monotonic()
        waiting: list[Any] = [one for one in self.server_state.connections if getattr(one, "cycle", self) is None]
        self._silent_since = {one: self._silent_since.get(one, now) for one in waiting}
        for connection, since in self._silent_since.items():
            if now - since > REQUEST_SECONDS and connection.transport is not None:
                connection.transport.close()


def run(factory: str, host: str, port: int) -> None:
    """Build the service that `module:function` returns and serve it until a signal ends it.

    Raises ConfigurationError before anything is opened when a setting is missing or wrong, or when other machines could
    reach a service that asks for no token.
    """
    application = build(factory)
    if not is_loopback(host) and not application.state.has_token:
        raise ConfigurationError(
            f"FUND_API_TOKEN is not set, and --host {host} lets other machines in: set it, or listen on 127.0.0.1"
        )
    config = make_config(application, host, port)
    DrainingServer(config, application, application.state.drain_seconds).run()


def build(factory: str) -> FastAPI:
    """The service that `module:function` returns.

    Its modules and routes stay to the end. Python's collector would look through them again and again while they are
    made, for 0.2 of 3 seconds of processor time (exchange, medians of eight); it leaves them out from then on.
    """
    gc.disable()
    try:
        application: FastAPI = import_from_string(factory)()
    finally:
        gc.enable()
    gc.freeze()
    return application


def make_config(application: FastAPI, host: str, port: int) -> uvicorn.Config:
    """How uvicorn serves it.

    Where no token is asked for there is no proxy either: a page of the internet whose name leads here (DNS rebinding)
    must not say by `X-Forwarded-For` that another machine asks.
    """
    return uvicorn.Config(
        application,
        host=host,
        port=port,
        log_config=None,  # the application has configured the log
        access_log=False,  # the service logs its requests itself
        timeout_graceful_shutdown=FINISH_SECONDS,
        proxy_headers=application.state.has_token,
    )


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m internal.http.run", description="Run a service of the fund.")
    parser.add_argument("factory", help="module:function that makes the application")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 in a container")
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    os.umask(PRIVATE)
    try:
        run(given.factory, given.host, given.port)
    except ConfigurationError as error:
        sys.exit(f"error: {error.detail}")


if __name__ == "__main__":
    main()
