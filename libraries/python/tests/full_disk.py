"""A disk on which no file of this process grows beyond some bytes."""

import resource
import sys
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def limit_files(size: int) -> Generator[None]:
    """Refuse a file of more bytes, as a full disk does; the process must not write larger ones meanwhile.

    Bytecode is not written: Python 3.12 keeps the first part of a file that cannot be written whole.
    """
    unlimited, unwritten = resource.getrlimit(resource.RLIMIT_FSIZE), sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, unlimited[1]))
    try:
        yield
    finally:
        sys.dont_write_bytecode = unwritten
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
