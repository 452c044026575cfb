"""The memory that a fund's processes use together."""

import threading
from types import TracebackType
from typing import Self

import psutil


class MemoryWatch:
    """Samples the resident memory of this process and all its descendants, twice a second."""

    def __init__(self) -> None:
        self._peak = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def peak_bytes(self) -> int:
        """The largest sum so far; pages that processes share count once for each process."""
        return max(self._peak, measure_resident_bytes())

    def _sample(self) -> None:
        while not self._stopped.wait(0.5):
            self._peak = max(self._peak, measure_resident_bytes())


def measure_resident_bytes() -> int:
    """Resident memory of this process and all its descendants, in bytes."""
    total = 0
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total
