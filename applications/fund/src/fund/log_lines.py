"""The lines of the services' logs: the last ones, and those that are added, over rotations."""

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class LogReader:
    """Reads one log.

    Args:
        path: The file; it may not exist yet.
    """

    path: Path
    _position: int = field(default=0, init=False)
    _rest: bytes = field(default=b"", init=False)

    def read_last(self, count: int) -> list[str]:
        """The last lines; what is added later is `read_new`'s."""
        return list(deque(self.read_new(), maxlen=count))

    def read_new(self) -> list[str]:
        """The whole lines that were added since the last reading; a file that was rotated is read from its start."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            if self.path.stat().st_size < self._position:
                self._position, self._rest = 0, b""
            file.seek(self._position)
            content = file.read()
        self._position += len(content)
        *lines, self._rest = (self._rest + content).split(b"\n")
        return [line.decode(errors="replace") for line in lines]
