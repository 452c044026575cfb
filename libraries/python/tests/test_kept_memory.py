"""Freed arrays leave their pages to the next ones, counted by the kernel's page faults of the thread."""

import resource
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from internal.kept_memory import LARGEST, keep_freed_memory

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
