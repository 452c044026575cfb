"""Trust in the market's clock: a jump that no sleep of the machine explains is believed once it has lasted.

The schedule goes on after its newest session, so one wrong answer of a broker, a year ahead, would leave every session
until then without its runs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from internal.clock import elapsed_seconds
from internal.errors import UnavailableError
from internal.modes import Mode
from scheduler.ports import MarketTime

TOLERANCE = timedelta(minutes=2)
BELIEVED_AFTER_SECONDS = 300.0


@dataclass(frozen=True)
class Sighting:
    """An answer of the market's clock, and when it came on a clock that counts the machine's sleep, seconds."""

    time: MarketTime
    elapsed: float

    def agrees_with(self, later: "Sighting") -> bool:
        """Whether the market's clock has gone on as long as the machine has counted."""
        passed = timedelta(seconds=later.elapsed - self.elapsed)
        return abs(later.time.moment - self.time.moment - passed) <= TOLERANCE


class ClockWatch:
    """Compares each answer with the one before. A simulated market is moved by hand: any answer is right there."""

    def __init__(self, elapsed: Callable[[], float] = elapsed_seconds) -> None:
        self._elapsed = elapsed
        self._last: Sighting | None = None
        self._jump: Sighting | None = None  # the first answer after a jump

    def require_steady(self, time: MarketTime) -> MarketTime:
        """The answer, when it follows from the one before, or when a jump has lasted for five minutes.

        Raises UnavailableError until then, with both moments.
        """
        seen = Sighting(time, self._elapsed())
        last = self._last
        if last is not None and time.mode is not Mode.SIMULATED and not last.agrees_with(seen):
            self._require_lasting(last, seen)
        self._last, self._jump = seen, None
        return time

    def _require_lasting(self, last: Sighting, seen: Sighting) -> None:
        if self._jump is None or not self._jump.agrees_with(seen):
            self._jump = seen
        if seen.elapsed - self._jump.elapsed < BELIEVED_AFTER_SECONDS:
            raise UnavailableError(
                f"the market's clock jumped from {last.time.moment.isoformat()} to {seen.time.moment.isoformat()}: "
                f"nothing is started until it has gone on from there for {BELIEVED_AFTER_SECONDS:g} seconds"
            )
