"""Lets a process keep the memory of freed arrays for the next ones: to get pages again takes longer than to fill them.

glibc gives the end of a thread's heap back as soon as it is free, and takes it again for the next part of a panel: on a
virtual machine that was a quarter of the processor time of a forecast. Arrays of 32 MB and more are still given back.
"""

import ctypes
from functools import cache
from typing import Final

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # names of mallopt(3)
KEPT: Final = 2**28  # bytes that may stay free at the end of a heap
LARGEST: Final = 2**25  # bytes of an array on a heap; the most that glibc allows


@cache
def keep_freed_memory() -> bool:
    """Set both, once a process; False where the C library has no such settings (macOS, musl)."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(TRIM_THRESHOLD, KEPT)) and bool(mallopt(MMAP_THRESHOLD, LARGEST))
