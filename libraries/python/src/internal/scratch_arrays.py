"""Arrays larger than a training should hold: in files without a name, whose pages leave its memory when released.

A file has no name from its first moment, so that nothing of it is left on the disk however the process ends.
"""

import mmap
import os
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from math import prod
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock
from typing import Final

import numpy as np

from internal.errors import UnavailableError

SMALLEST_FILE: Final = 2**26  # bytes; smaller arrays are held in memory
PART_ROWS: Final = 2**16
ZEROS: Final = 2**20


class _Folder:
    """A folder of files without names; once it is closed, a thread that goes on after a failed training makes none."""

    def __init__(self, path: Path) -> None:
        self.path, self._is_closed, self._lock = path, False, Lock()

    def map_file(self, size: int) -> mmap.mmap | None:
        """A file's pages; None once the folder is closed. Raises UnavailableError."""
        with self._lock:
            return None if self._is_closed else _map_file(size, self.path)

    def close(self) -> None:
        """Wait for a file that is being made, and make no other."""
        with self._lock:
            self._is_closed = True


_folder: ContextVar[_Folder | None] = ContextVar("scratch_folder", default=None)


@contextmanager
def scratch_folder(folder: Path) -> Generator[None]:
    """Hold large arrays in files of a folder, which appears with the first; outside, arrays are held in memory.

    A training reads its rows for minutes, a forecast for a second, of which writing and reading files would be a tenth.
    """
    try:
        with joined_scratch_folder(folder):
            yield
    finally:
        with suppress(OSError):  # it never appeared, or another process uses it
            folder.rmdir()


@contextmanager
def joined_scratch_folder(folder: Path | None) -> Generator[None]:
    """Hold large arrays in files of the folder that another process has opened, and leave its removal to that process.

    A process that another one starts has no folder of its own: it is handed what `find_scratch_folder` answered there.
    None holds arrays in memory.
    """
    opened = None if folder is None else _Folder(folder)
    before = _folder.set(opened)
    try:
        yield
    finally:
        _folder.reset(before)
        if opened is not None:
            opened.close()


def find_scratch_folder() -> Path | None:
    """The folder whose files hold large arrays here; None where they are held in memory."""
    opened = _folder.get()
    return None if opened is None else opened.path


class ScratchArray:
    """An array of `values` that are undefined until they are written; in a file where `scratch_folder` says so."""

    def __init__(
        self, shape: tuple[int, ...], dtype: type[np.generic] = np.float64, *, smallest: int | None = None
    ) -> None:
        """Takes the array's shape and type of value, and how many bytes are held in memory rather than in a file.

        Raises:
            UnavailableError: The disk has no space for it, or the folder cannot be made.
        """
        size, folder = prod(shape) * np.dtype(dtype).itemsize, _folder.get()
        is_large = size >= (SMALLEST_FILE if smallest is None else smallest)
        self._pages = folder.map_file(size) if folder is not None and is_large else None
        empty = np.empty(prod(shape), dtype) if self._pages is None else np.frombuffer(self._pages, dtype)
        self.values: np.ndarray = empty.reshape(shape)

    def release(self) -> None:
        """Let the pages in memory go; the values stay, and are read again from the file where they are needed."""
        if self._pages is not None:
            self._pages.madvise(mmap.MADV_DONTNEED)

    def parts(self) -> Iterator[slice]:
        """All rows in parts, each of which is released before the next."""
        for first in range(0, len(self.values), PART_ROWS):
            yield slice(first, first + PART_ROWS)
            self.release()


def _map_file(size: int, folder: Path) -> mmap.mmap:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder) as file:
            _reserve(file.fileno(), size)
            return mmap.mmap(file.fileno(), size)
    except OSError as error:
        raise UnavailableError(
            f"{size / 1e9:.1f} GB of temporary files cannot be written to {folder} "
            f"({error.strerror}): free some disk space, or train on fewer tickers or years"
        ) from error


def _reserve(file: int, size: int) -> None:
    """Take the disk space at once: a page that finds none when it is written ends the process without a message."""
    if sys.platform == "linux":
        os.posix_fallocate(file, 0, size)
        return
    for first in range(0, size, ZEROS):
        os.write(file, bytes(min(ZEROS, size - first)))
