"""Freed arrays leave their pages to the next ones in a forecast, and to the system in a training."""

import platform
import resource
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from internal.freed_memory import LARGEST, keep_freed_memory, return_freed_memory
from internal.scratch_arrays import scratch_folder

COUNT = 20


def count_faults() -> int:
    """Page faults of twenty arrays of 16 MB, each freed before the next."""
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    for _ in range(COUNT):
        np.ones(LARGEST // 16)
    return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel counts a thread's faults on Linux alone")
def test_pages_are_taken_once() -> None:
    """Twenty arrays take the pages of two at most, where the C library has the settings."""
    if not keep_freed_memory():
        pytest.skip("this C library has no such settings")
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(count_faults).result() < 2 * LARGEST // 2 / resource.getpagesize()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no `malloc_trim`")
def test_freed_memory_is_returned(tmp_path: Path) -> None:
    """Of 60 MB freed between arrays that stay, a training returns most, and a forecast does not."""
    arrays = [np.ones(60_000, np.uint8) for _ in range(2000)]  # each too small to be mapped
    full = _resident_bytes()
    arrays = arrays[::2]
    return_freed_memory()
    assert full - _resident_bytes() < 15e6
    with scratch_folder(tmp_path / "scratch"):
        assert not keep_freed_memory()
        return_freed_memory()
    assert full - _resident_bytes() > 45e6
    assert all(one.all() for one in arrays)


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()
