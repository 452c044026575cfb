"""Ctrl-C and SIGTERM: the first ends the command in order, later ones hurry, and none leaves a process behind."""

import signal
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

INTERRUPTED = 130  # the exit code of a command that Ctrl-C ended


def _do_nothing() -> None:
    """There is nothing to hurry."""


@dataclass
class Interrupts:
    """What the two signals do once `install` was called.

    Attributes:
        apart: Seconds within which another signal is the same one, sent to the group and forwarded by a parent.
        hurry: What each later signal does: kill what still runs. It raises nothing.
    """

    apart: float = 0.5
    hurry: Callable[[], None] = _do_nothing
    _count: int = 0
    _first: float = 0.0
    _held: bool = False

    def install(self) -> None:
        """From now on the first signal raises KeyboardInterrupt, once."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._handle)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        self._count += 1
        if self._count > 1:
            if now - self._first >= self.apart:
                self.hurry()
            return
        self._first = now
        if not self._held:
            raise KeyboardInterrupt

    @contextmanager
    def held(self) -> Generator[None]:
        """Raise nothing within the block, where a process starts; a signal that came meanwhile strikes at its end."""
        before = self._count
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self._count > before and not before:
            raise KeyboardInterrupt

    @contextmanager
    def ending(self, kill: Callable[[], None]) -> Generator[None]:
        """Raise nothing within the block, where processes end; a signal that comes after another kills them at once."""
        self._held, self.hurry = True, kill
        try:
            yield
        finally:
            self._held, self.hurry = False, _do_nothing


INTERRUPTS = Interrupts()  # signals belong to the whole process
