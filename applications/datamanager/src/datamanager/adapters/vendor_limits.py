"""What every market data vendor's transport is held to: requests a minute, timeouts, retries."""

from dataclasses import dataclass

from pyrate_limiter import InMemoryBucket, Limiter, Rate, SingleBucketFactory

from internal.retries import RetryPolicy

MINUTE_MILLISECONDS = 60_000
RETRIES = RetryPolicy(attempts=6, first_pause=0.5, longest_pause=30.0, longest_retry_after=120.0)


@dataclass(frozen=True)
class Timeouts:
    """The timeouts of one attempt, in seconds."""

    connect: float = 5.0
    read: float = 30.0


TIMEOUTS = Timeouts()


def make_limiter(requests_per_minute: int) -> Limiter | None:
    """The limiter that every request passes, retries included; None for 0, which is unlimited."""
    if requests_per_minute == 0:
        return None
    bucket = InMemoryBucket([Rate(requests_per_minute, MINUTE_MILLISECONDS)])
    return Limiter(SingleBucketFactory(bucket, schedule_leak=False))  # put() leaks; no thread is needed
