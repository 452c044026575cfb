"""A worker that empties a queue in order, with exponential backoff after failures."""

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, NoReturn

from polars.exceptions import PanicException

from internal.telemetry import get_logger

FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 10.0
POLL_SECONDS = 5.0  # an idle worker polls: in an update two processes share a file, and each wakes only itself


class AttemptFailedError(Exception):
    """An attempt failed and has been recorded; the same item is retried after a pause."""


def wait_seconds(failures: int, spread: float) -> float:
    """Exponential backoff after so many failures in a row; `spread` in [0, 1) takes up to half of it off."""
    longest = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** min(failures - 1, 16))
    return longest * (1 - spread / 2)


class Worker(ABC):
    """The worker on one first-in-first-out queue: an item that fails blocks later ones until it succeeds.

    `count` is awaited after each step, to update the metrics.
    """

    def __init__(self, count: Callable[[], Awaitable[object]]) -> None:
        self._count = count
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Start on a new item at once."""
        self._woken.set()

    @abstractmethod
    async def step(self) -> bool:
        """Finish the oldest item; False when there is none. Raises AttemptFailedError when it must be retried."""
        ...

    async def _counted_step(self) -> bool:
        try:
            return await self.step()
        finally:
            await self._count()

    async def run(self) -> NoReturn:
        """Work until cancelled. An unexpected error, such as a full disk, is logged and retried like a failure."""
        failures = 0
        while True:
            self._woken.clear()
            try:
                busy = await self._counted_step()
            except AttemptFailedError:
                failures += 1
            except (Exception, PanicException):  # noqa: BLE001 - logged with its traceback; a worker that ended would lose events silently
                get_logger(__name__).exception("event_worker_failed", worker=type(self).__name__)
                failures += 1
            else:
                failures = 0
                if not busy:
                    await self._rest()
                continue
            await asyncio.sleep(wait_seconds(failures, random.random()))  # noqa: S311 - spreads retries, no secret

    async def _rest(self) -> None:
        """Wait for `wake`, or until it is time to poll for items that another process has left."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), POLL_SECONDS)


async def cancel_task(task: asyncio.Task[Any]) -> None:
    """Cancel a worker's task and wait until it has ended, however it ends."""
    task.cancel()
    await asyncio.wait([task])
