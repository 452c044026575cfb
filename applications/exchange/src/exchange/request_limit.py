"""The request limit of the data API: so many requests in each minute of the machine's clock."""

import time
from collections.abc import Callable
from dataclasses import dataclass

MINUTE_SECONDS = 60


@dataclass(frozen=True)
class Allowance:
    """What is left of the limit after a request."""

    limit: int
    remaining: int
    reset: int  # Unix seconds at which the next minute begins
    exceeded: bool

    def headers(self) -> dict[str, str]:
        """Alpaca's response headers."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
        }


class RequestLimit:
    """Counts requests minute by minute.

    Args:
        per_minute: The limit; 0 is unlimited.
        now: The machine's clock, Unix seconds.
    """

    def __init__(self, per_minute: int, now: Callable[[], float] = time.time) -> None:
        self._per_minute, self._now = per_minute, now
        self._minute, self._count = 0, 0

    def take(self) -> Allowance | None:
        """Count one request; None where there is no limit."""
        if self._per_minute == 0:
            return None
        minute = int(self._now() // MINUTE_SECONDS)
        self._count = self._count + 1 if minute == self._minute else 1
        self._minute = minute
        remaining = max(self._per_minute - self._count, 0)
        return Allowance(
            self._per_minute, remaining, (minute + 1) * MINUTE_SECONDS, exceeded=self._count > self._per_minute
        )
