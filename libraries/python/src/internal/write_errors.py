"""Says of a file that cannot be written, as on a full disk, which one it is and what to do."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from internal.errors import UnavailableError


@contextmanager
def explain_write_error(what: str, path: Path, remedy: str) -> Generator[None]:
    """Raise UnavailableError with the file's name and the remedy where the block raises OSError."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise UnavailableError(f"{what} {path} cannot be written ({reason}): {remedy}") from error
