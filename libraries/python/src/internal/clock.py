"""A clock for measuring spans of time that also counts while the machine sleeps."""

import time

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # Linux; elsewhere the monotonic clock counts sleep


def elapsed_seconds() -> float:
    """Seconds since some fixed moment; it never goes back, and a suspended laptop or frozen virtual machine adds to it.

    On Linux `time.monotonic` stops while the machine is suspended; a lease measured by it would still look held after
    a night of sleep.
    """
    return time.clock_gettime(_CLOCK)
