"""A worker that empties a queue in order: one item after the other, waiting longer after each failure.

Knows when to try again. Knows not what is tried.
"""

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NoReturn

from internal.telemetry import get_logger

FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 10.0
LOOK_SECONDS = 5.0  # an idle worker looks again: in an update two processes share a file, and each wakes only itself


class AttemptFailedError(Exception):
    """An attempt failed and has been recorded; the same item is tried again after a wait."""


def wait_seconds(failures: int, spread: float) -> float:
    """Exponential backoff after so many failures in a row; `spread` in [0, 1) takes up to half of it off."""
    longest = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** min(failures - 1, 16))
    return longest * (1 - spread / 2)


class Worker(ABC):
    """One queue, first in first out: an item that fails holds the later ones until it succeeds.

    `count` is awaited after each step, to keep the metrics true.
    """

    def __init__(self, count: Callable[[], Awaitable[object]]) -> None:
        self._count = count
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Say that there is something new."""
        self._woken.set()

    @abstractmethod
    async def step(self) -> bool:
        """Finish the oldest item; False when there is none. Raises AttemptFailedError when it must be tried again."""

    async def _counted_step(self) -> bool:
        try:
            return await self.step()
        finally:
            await self._count()

    async def run(self) -> NoReturn:
        """Work until cancelled. An unforeseen error (a full disk, say) is logged and tried again like a failure."""
        failures = 0
        while True:
            self._woken.clear()
            try:
                busy = await self._counted_step()
            except AttemptFailedError:
                failures += 1
            except Exception:  # noqa: BLE001 - logged with its traceback; a worker that ended would lose events silently
                get_logger(__name__).exception("event_worker_failed", worker=type(self).__name__)
                failures += 1
            else:
                failures = 0
                if not busy:
                    await self._rest()
                continue
            await asyncio.sleep(wait_seconds(failures, random.random()))  # noqa: S311 - spreads retries, no secret

    async def _rest(self) -> None:
        """Until something new is said here, or until it is time to look whether another process has left something."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), LOOK_SECONDS)
