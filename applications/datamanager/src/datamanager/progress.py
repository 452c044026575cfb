"""Progress of long collections by phase: how far each is, and the time left at the pace so far."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from threading import Lock


class Phase(StrEnum):
    """What a collection collects, in order."""

    LISTINGS = "listings"
    COMPANIES = "companies"
    FUNDAMENTALS = "fundamentals"


@dataclass(frozen=True)
class PhaseProgress:
    """How far one phase is.

    Attributes:
        phase: The phase.
        done: What is committed to the lake, in units of `unit`.
        total: All of them; what the lake held before is not counted.
        unit: What is counted: companies, pages.
        running: Whether the phase runs now.
        seconds_left: At the pace so far, before the first one at the vendor's rate limit; None while nothing is known.
    """

    phase: Phase
    done: int
    total: int
    unit: str
    running: bool
    seconds_left: float | None


class CollectionProgress:
    """The progress of the running collection, or of the last one; it may be read and advanced from any thread.

    Args:
        clock: Seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._phases: dict[Phase, PhaseProgress] = {}
        self._started: dict[Phase, float] = {}

    def start(self, phase: Phase, total: int, unit: str, seconds_each: float | None = None) -> None:
        """Begin a phase; `seconds_each` is the vendor's limit for one unit, None where it is not known."""
        left = None if seconds_each is None else total * seconds_each
        with self._lock:
            self._started[phase] = self._clock()
            self._phases[phase] = PhaseProgress(phase, 0, total, unit, running=True, seconds_left=left)

    def advance(self, phase: Phase, count: int = 1) -> None:
        """Count more of a phase as done."""
        with self._lock:
            before = self._phases[phase]
            done = before.done + count
            pace = (self._clock() - self._started[phase]) / done
            self._phases[phase] = replace(before, done=done, seconds_left=max(before.total - done, 0) * pace)

    def end(self, phase: Phase) -> None:
        """End a phase, whether it is complete or an error ended it."""
        with self._lock:
            before = self._phases[phase]
            left = 0.0 if before.done >= before.total else before.seconds_left
            self._phases[phase] = replace(before, running=False, seconds_left=left)

    def phases(self) -> list[PhaseProgress]:
        """The phases that were started, in order."""
        with self._lock:
            return [self._phases[phase] for phase in Phase if phase in self._phases]
