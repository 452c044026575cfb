"""A file of lines to which several processes append; a crash leaves at most one incomplete line, which is removed."""

import errno
import fcntl
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from internal.errors import ConfigurationError


@dataclass(frozen=True)
class LineFile:
    """The file while this process alone has it; `lines` are without their newlines."""

    path: Path
    file: FileIO
    lines: tuple[bytes, ...]

    def append(self, line: bytes) -> None:
        """Append a line and wait until it is on disk; when that fails, the file is as before.

        Raises:
            ConfigurationError: The disk is full or fails.
        """
        length = self.file.seek(0, os.SEEK_END)
        try:
            if self.file.write(line + b"\n") <= len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # noqa: TRY301 - a short write is one more failure
            os.fsync(self.file.fileno())
        except OSError as error:
            self.file.truncate(length)
            raise _unwritable(self.path, error) from error


@contextmanager
def open_line_file(path: Path, notify: Callable[[str], None]) -> Generator[LineFile]:
    """Open a file of lines, made where there is none, once no other process has it.

    Args:
        path: The file; its folder is made too.
        notify: Is called with a sentence when an incomplete last line was removed.

    Raises:
        ConfigurationError: The file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b", buffering=0)
    except OSError as error:
        raise _unwritable(path, error) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)  # the kernel gives it up with the process, however that ends
        yield LineFile(path, file, _read_lines(path, file, notify))


def _read_lines(path: Path, file: FileIO, notify: Callable[[str], None]) -> tuple[bytes, ...]:
    file.seek(0)
    content = file.read()
    whole, newline, rest = content.rpartition(b"\n")
    if rest:
        file.truncate(len(whole) + len(newline))
        os.fsync(file.fileno())
        notify(
            f"{path} ended with {len(rest)} bytes of an incomplete line, as a crash leaves it; it was removed. "
            "If a backtest was cut off, run it again."
        )
    return tuple(whole.split(b"\n")) if newline else ()


def _unwritable(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"{path} cannot be written ({error.strerror}); free some disk, or set FUND_HOME to another folder."
    )
