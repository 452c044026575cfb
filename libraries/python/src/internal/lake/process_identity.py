"""The identity of a process across restarts: an id in its state folder, owned through a file lock while it lives."""

import fcntl
from pathlib import Path
from uuid import uuid4


class ProcessIdentity:
    """The id of the process that owns a state folder; a restart owns it again, since the kernel frees the lock.

    A second process with the same folder gets a new id of its own while the first one lives. It claims the folder's id
    again and again (`claim`), because in a start-first update it is the process that stays.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._file = (directory / "holder").open("a+")
        self._is_owner = False
        self.id = uuid4().hex
        self.claim()

    def claim(self) -> None:
        """Take over the folder's id unless a living process owns it; in a new folder, store this process's own."""
        if self._is_owner:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        self._is_owner = True
        self._file.seek(0)
        stored = self._file.read().strip()
        if stored:
            self.id = stored
        else:
            self._file.write(self.id)
            self._file.flush()

    def close(self) -> None:
        """Let another process own the folder."""
        self._file.close()
