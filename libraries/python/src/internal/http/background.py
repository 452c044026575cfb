"""Background tasks of a service: one that fails is logged, shown by `/ready`, and started again."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from fastapi import FastAPI
from polars.exceptions import PanicException

from internal.errors import UnavailableError
from internal.telemetry import get_logger

RESTART_SECONDS = 5.0


class BackgroundTasks:
    """Tasks that run as long as the service does (`async with`).

    Args:
        works: What each does, by name; it runs until it returns, and again when it raises.
        restart_seconds: Between a failure and the next start.
    """

    def __init__(
        self, works: dict[str, Callable[[], Awaitable[object]]], restart_seconds: float = RESTART_SECONDS
    ) -> None:
        self._works, self._restart_seconds = works, restart_seconds
        self._failures: dict[str, str] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Start every task."""
        self._tasks = [asyncio.create_task(self._keep(name)) for name in self._works]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Cancel what still runs."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def check(self, _application: FastAPI | None = None) -> None:
        """A readiness check: raises UnavailableError while a task waits to be started again after a failure."""
        if self._failures:
            raise UnavailableError("; ".join(f"{name} failed: {error}" for name, error in self._failures.items()))

    async def _keep(self, name: str) -> None:
        while True:
            try:
                await self._works[name]()
            except (Exception, PanicException) as error:  # noqa: BLE001 - logged with its traceback; a task that ended silently would be missed
                get_logger(__name__).exception("background_task_failed", task=name)
                self._failures[name] = type(error).__name__
                await asyncio.sleep(self._restart_seconds)
                self._failures.pop(name)
            else:
                return
