"""The threads that kernels get, as data: a kernel's text depends on no address and no number of cores."""
# tinygrad exports its names without __all__
# pyright: reportPrivateImportUsage=false

import ctypes
import os
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

import numpy as np
from tinygrad import Tensor

_MOST_THREADS = 64
_threads: ContextVar[int] = ContextVar("threads", default=0)


@contextmanager
def thread_count(count: int) -> Generator[None]:
    """Inside, kernels get this many threads; the bits of their results do not depend on it."""
    token = _threads.set(count)
    try:
        yield
    finally:
        _threads.reset(token)


def usable_cores() -> int:
    """The cores that this process may use."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, _MOST_THREADS)


def host_tensor() -> Tensor:
    """The last argument of every kernel, u64 [4]; all usable cores, unless `thread_count` sets another number."""
    return _host_tensor(_threads.get() or usable_cores())


@cache
def _host_tensor(threads: int) -> Tensor:
    """Addresses of pthread_create and pthread_join, and the number of threads.

    They are data and no text: the loader cannot link far calls, and the kernel's cache must not depend on them.
    """
    library = ctypes.CDLL(None)
    addresses = [
        ctypes.cast(getattr(library, name), ctypes.c_void_p).value for name in ("pthread_create", "pthread_join")
    ]
    return Tensor(np.array([*addresses, threads, 0], np.uint64)).realize()
