"""Rotation of the services' logs: a file that has grown too large is copied and emptied.

The file is not renamed: the service goes on writing to it, at its end, through the file that it has open.
"""

import os
import shutil
from pathlib import Path

MEGABYTE = 1024**2


def rotate_log(path: Path, limit: int, kept: int) -> bool:
    """Rotate a log of more than `limit` bytes to `NAME.1`, what was there to `NAME.2`, ...; whether it was rotated.

    What a service writes in the moment between copy and emptying is lost.

    Args:
        path: The log.
        limit: Bytes.
        kept: How many rotated files are kept.
    """
    if not path.exists() or path.stat().st_size <= limit:
        return False
    for number in range(kept - 1, 0, -1):
        older = rotated(path, number)
        if older.exists():
            older.replace(rotated(path, number + 1))
    shutil.copyfile(path, rotated(path, 1))
    rotated(path, 1).chmod(0o600)
    os.truncate(path, 0)
    return True


def rotated(path: Path, number: int) -> Path:
    """The name of a rotated log; 1 is the newest."""
    return path.with_name(f"{path.name}.{number}")
