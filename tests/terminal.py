"""A command in a terminal of its own, interrupted as people and scripts do it: Ctrl-C, and SIGINT to the group."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from select import select

import psutil

END_SECONDS = 90.0
LEFT_SECONDS = 5.0
POLL_SECONDS = 0.01
CONTROL_C = b"\x03"


class Sender(StrEnum):
    """Who interrupts: a person at the keyboard, or a script by `kill -INT -- -PID`."""

    KEYBOARD = "keyboard"
    SCRIPT = "script"


@dataclass(frozen=True)
class Strike:
    """One interrupt: so many seconds after the words were printed; without words, after the start."""

    seconds: float
    after: str = ""


@dataclass(frozen=True)
class Ended:
    """How the command ended.

    Attributes:
        status: Its exit code, negative for a signal.
        printed: All that it printed.
        left: The command lines of processes that it left behind.
        struck: The number of interrupts that were sent before it ended.
    """

    status: int
    printed: str
    left: Sequence[str]
    struck: int


class Terminal:
    """The command while it runs.

    Args:
        words: The command; its program is a path.
        variables: The environment.
        mark: A variable of it by which its processes, and theirs, are found.
    """

    def __init__(self, words: Sequence[str], variables: Mapping[str, str], mark: str) -> None:
        self._mark, self._value, self._printed = mark, variables[mark], b""
        self._terminal, inner = os.openpty()
        self._process = subprocess.Popen(  # noqa: S603 - our own words
            ["setsid", "--ctty", *words],  # noqa: S607 - of util-linux; it becomes the command
            env=dict(variables),
            stdin=inner,
            stdout=inner,
            stderr=inner,
        )
        os.close(inner)
        self._started = time.monotonic()

    def interrupt(self, strikes: Sequence[Strike], sender: Sender) -> Ended:
        """Interrupt it at those moments, and wait for its end."""
        struck = sum(self._strike(strike, sender) for strike in strikes)
        deadline = time.monotonic() + END_SECONDS
        while not self._has_ended():
            if time.monotonic() > deadline:
                with suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
                raise AssertionError(f"it does not end: {self._text()}")
        os.close(self._terminal)
        return Ended(self._process.returncode, self._text(), self._find_left(), struck)

    def _strike(self, strike: Strike, sender: Sender) -> bool:
        """Wait for the moment and interrupt; whether the command had not ended before."""
        while strike.after not in self._text():
            if self._has_ended():
                return False
        moment = (time.monotonic() if strike.after else self._started) + strike.seconds
        while time.monotonic() < moment:
            if self._has_ended():
                return False
        with suppress(OSError):
            if sender is Sender.KEYBOARD:
                os.write(self._terminal, CONTROL_C)
            else:
                os.killpg(self._process.pid, signal.SIGINT)
        return True

    def _has_ended(self) -> bool:
        """Read what was printed within a moment; whether the command has ended."""
        with suppress(OSError):  # its side of the terminal is closed
            if select([self._terminal], [], [], POLL_SECONDS)[0]:
                self._printed += os.read(self._terminal, 65536)
                return False
        ended = self._process.poll() is not None
        if not ended:
            time.sleep(POLL_SECONDS)
        return ended

    def _text(self) -> str:
        return self._printed.decode(errors="replace")

    def _find_left(self) -> list[str]:
        """The processes with the mark, once those that are ending have ended."""
        deadline = time.monotonic() + LEFT_SECONDS
        while (left := self._list_marked()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return left

    def _list_marked(self) -> list[str]:
        found: list[str] = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get(self._mark) == self._value and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(" ".join(process.cmdline()))
        return found
