"""Writing a file so that a crash never leaves half of it."""

import os
from pathlib import Path

from internal.errors import ConfigurationError


def write_atomically(path: Path, content: str | bytes, mode: int = 0o644) -> None:
    """Write a file so that a reader sees the old content or the new one, never a part; it is on disk afterwards.

    Raises:
        ConfigurationError: The folder cannot be written (full disk, permissions).
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise ConfigurationError(
            f"{path.parent} cannot be written ({error.strerror}); free some disk, or set FUND_HOME to another folder."
        ) from error
