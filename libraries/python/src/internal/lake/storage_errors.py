"""Translates errors of the storage under the lake, a full disk or a store that is not reachable, to the fund's."""

import errno
import os
from collections.abc import Generator
from contextlib import contextmanager

from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from internal.errors import UnavailableError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _is_full(text: str) -> bool:
    """The storage layer is Rust and gives the system's error as text only: `... (os error 28)`."""
    return any(f"os error {number})" in text or os.strerror(number) in text for number in FULL)


@contextmanager
def translate_storage_errors(url: str) -> Generator[None]:
    """Raise UnavailableError, with a sentence, for faults of the storage at this address; other errors pass."""
    try:
        yield
    except CommitFailedError:
        raise
    except (OSError, DeltaError) as error:
        text = str(error)
        if _is_full(text):
            raise UnavailableError(
                f"no space is left under {url}; nothing was written: free some and try again"
            ) from error
        if isinstance(error, OSError | TableNotFoundError):  # not found while making it: the place is no folder
            raise UnavailableError(f"the storage at {url} cannot be used: {text.splitlines()[0]}") from error
        raise
