"""Trains the model as one background process: `models assemble`, then `models train`, which promotes by its own rule.

`python -m scheduler.retrain --session 2024-03-18 --model full --lock FILE`. It ends, with its commands, as soon as its
standard input is closed: the scheduler holds the other end and may be killed at any moment.
"""

import argparse
import fcntl
import os
import signal
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from threading import Thread
from types import FrameType

HISTORY = timedelta(days=2 * 365)  # as `fund up` trains
NICENESS = 15
GRACE_SECONDS = 8.0
STANDARD_INPUT = 0


def list_commands(session: date, model: str) -> list[list[str]]:
    """The `models` commands, in order; the dataset ends with the session."""
    period = ["--start-date", str(session - HISTORY), "--end-date", str(session)]
    return [["assemble", *period], ["train", "--model", model]]


class Commands:
    """The commands of one training, one after the other; `end` ends the one that runs and starts no other."""

    def __init__(self) -> None:
        self._running: subprocess.Popen[bytes] | None = None
        self._is_ended = False

    def run(self, commands: list[list[str]]) -> int:
        """The exit status of the first command that fails, else 0."""
        for arguments in commands:
            if self._is_ended:
                return signal.SIGTERM
            self._running = subprocess.Popen([sys.executable, "-m", "models", *arguments], stdin=subprocess.DEVNULL)  # noqa: S603 - our own interpreter and module
            if (code := self._running.wait()) != 0:
                return code
        return 0

    def end(self) -> None:
        """Ask the running command to end, and kill it when it does not."""
        self._is_ended = True
        if (running := self._running) is None:
            return
        running.terminate()
        try:
            running.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            running.kill()


def end_with_parent(commands: Commands) -> None:
    """Wait until standard input is closed, then end the commands and this process."""
    while os.read(STANDARD_INPUT, 1):  # not through sys.stdin, whose lock would crash the interpreter at its end
        pass
    end_group(commands)


def end_group(commands: Commands) -> None:
    """End the running command, then everything of this process's group, itself included."""
    commands.end()
    os.killpg(os.getpgrp(), signal.SIGKILL)


def main() -> int:
    """Train; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m scheduler.retrain", description="Train the model once.")
    parser.add_argument(
        "--session", type=date.fromisoformat, required=True, help="the last session that it learns from"
    )
    parser.add_argument("--model", required=True, help="small, full, or the kind of a baseline")
    parser.add_argument("--lock", type=Path, required=True, help="the file that one training at a time locks")
    given = parser.parse_args()
    commands = Commands()

    def end(_signal: int, _frame: FrameType | None) -> None:
        end_group(commands)

    signal.signal(signal.SIGTERM, end)
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)
    os.nice(NICENESS)
    Thread(target=end_with_parent, args=(commands,), daemon=True).start()
    with given.lock.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a training that is being ended holds it for some seconds
        return commands.run(list_commands(given.session, given.model))


if __name__ == "__main__":
    sys.exit(main())
