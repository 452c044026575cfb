"""A disk on which no file of this process grows beyond some bytes."""

import resource
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def limit_files(size: int) -> Generator[None]:
    """Refuse a file of more bytes, as a full disk does; the process must not write larger ones meanwhile."""
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, unlimited[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
