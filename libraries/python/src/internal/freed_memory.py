"""What becomes of the memory of freed arrays: a forecast keeps it, which is faster, and a training returns it.

glibc gives the end of a thread's heap back as soon as it is free, and takes it again for the next part of a panel: on a
virtual machine that was a quarter of the processor time of a forecast, because to get pages again takes longer than to
fill them. What is freed between other memory it keeps, which a training of a whole market has no room for.
"""

from ctypes import CDLL
from functools import cache
from typing import Final

from internal.scratch_arrays import find_scratch_folder

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # names of mallopt(3)
KEPT: Final = 2**28  # bytes that may stay free at the end of a heap
LARGEST: Final = 2**25  # bytes of an array on a heap, the most that glibc allows; larger ones are still given back


def keep_freed_memory() -> bool:
    """Keep what is freed for the next arrays, outside `scratch_folder`, from the first call to the process's end.

    False inside, and where the C library has no such settings (macOS, musl).
    """
    return find_scratch_folder() is None and _raise_thresholds()


@cache
def _raise_thresholds() -> bool:
    mallopt = getattr(CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(TRIM_THRESHOLD, KEPT)) and bool(mallopt(MMAP_THRESHOLD, LARGEST))


def return_freed_memory() -> None:
    """Give the system the memory that was freed here, inside `scratch_folder`.

    It does nothing where the C library is another one than glibc.
    """
    trim = None if find_scratch_folder() is None else getattr(CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
