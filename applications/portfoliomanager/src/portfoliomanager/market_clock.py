"""The market's clock as others may ask for it: the broker's, asked at most once a second."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from internal.clock import elapsed_seconds
from internal.modes import Mode

FRESH_SECONDS = 1.0


@dataclass(frozen=True)
class ClockReading:
    """One answer of the broker's clock, UTC, and what is at stake at that broker."""

    moment: datetime
    mode: Mode


class MarketClock:
    """Reads the broker's clock; callers that ask at the same time share one answer.

    Args:
        read_broker: Asks the broker; raises UpstreamError or UnavailableError.
        mode: Whether the broker's account is simulated, paper or live.
        elapsed: Seconds that also pass while the machine sleeps, so that no old answer is given after it.
    """

    def __init__(
        self, read_broker: Callable[[], datetime], mode: Mode, elapsed: Callable[[], float] = elapsed_seconds
    ) -> None:
        self._read_broker, self._elapsed = read_broker, elapsed
        self.mode, self._one_at_a_time = mode, Lock()
        self._last: ClockReading | None = None
        self._read_at = 0.0

    def read(self) -> ClockReading:
        """The broker's clock, at most a second old."""
        with self._one_at_a_time:
            if self._last is None or self._elapsed() - self._read_at >= FRESH_SECONDS:
                asked_at = self._elapsed()
                self._last, self._read_at = ClockReading(self._read_broker(), self.mode), asked_at
            return self._last
