"""Registers an artifact in copies of a registry, and is killed or meets a full disk at every change of a file."""

import errno
import os
import shutil
import signal
import sys
from itertools import count
from pathlib import Path

from internal.errors import UnavailableError
from internal.forecasting.registry import Registry

CREATING = ("open", "os.mkdir", "os.rename")
CHANGING = (*CREATING, "os.remove", "os.rmdir")
REFUSED = 3  # the exit code where the registry said that it cannot be written


class Fault:
    """An audit hook: Python calls it before each change of a file, which it counts."""

    def __init__(self, step: int, *, kills: bool) -> None:
        """Takes the number of the first change that is not made, and whether the process is killed there."""
        self._step, self._kills, self._changes = step, kills, 0

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        """Count a change; kill the process at the step, or refuse from it on whatever needs space."""
        if event not in (CHANGING if self._kills else CREATING) or (event == "open" and _is_reading(arguments)):
            return
        self._changes += 1
        if self._changes >= self._step and self._kills:
            os.kill(os.getpid(), signal.SIGKILL)
        if self._changes >= self._step:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _is_reading(arguments: tuple[object, ...]) -> bool:
    flags = arguments[2]
    return isinstance(flags, int) and flags & os.O_ACCMODE == os.O_RDONLY


def register_in_child(registry: Path, artifact: Path, step: int, *, kills: bool) -> int:
    """Fork, so that the imports are paid for once; the child's exit code, negative where it was killed."""
    child = os.fork()
    if child == 0:
        sys.addaudithook(Fault(step, kills=kills))
        try:
            Registry(registry).register(artifact)
        except UnavailableError:
            os._exit(REFUSED)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(registry: Path, artifact: Path, fault: str) -> None:
    """Make the folders `<registry>-1`, `-2`, ... until a registration meets no fault, and print the exit codes."""
    for step in count(1):
        copy = registry.with_name(f"{registry.name}-{step}")
        shutil.copytree(registry, copy)
        code = register_in_child(copy, artifact, step, kills=fault == "kill")
        print(code)  # noqa: T201 - the answer
        if code == 0:
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
