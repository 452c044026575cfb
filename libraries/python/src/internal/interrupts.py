"""Ctrl-C of a command line, without a traceback at any moment: the first one ends it in order, a late one at once.

It is the first that a command line loads, and reads no other file: until it has taken the signal, Python's own handler
prints a traceback. What strikes while Python itself starts is out of reach, and the script `fund` ignores it.
"""

import time

TYPE_CHECKING = False  # `typing` would be another file
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
    from types import FrameType
else:
    import _signal as signal  # the built-in part; the module `signal` reads a dozen files

PATIENCE_SECONDS = 2.0


def run_interruptible(load: "Callable[[], Callable[[], None]]") -> None:
    """Run a command line; a program that starts it ignores SIGINT, so that nothing strikes before this.

    What it imports stays to the end: Python's collector would search it in vain while it loads and again at the end.

    Args:
        load: Imports the command line, which may take seconds, and returns what runs it. While it does, Ctrl-C ends
            the process at once.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    import gc  # noqa: PLC0415 - nothing is read before the signal is taken

    gc.disable()
    try:
        run = load()
    finally:
        gc.enable()
    gc.freeze()
    signal.signal(signal.SIGINT, RaiseOnce())
    run()


def interrupt_waits() -> None:
    """Let Ctrl-C end a prompt or the wait for an answer without a time limit.

    Polars, once loaded, has the system go on with a read that a signal interrupted.
    """
    signal.siginterrupt(signal.SIGINT, True)  # noqa: FBT003 - the function takes no name


class RaiseOnce:
    """A handler that raises KeyboardInterrupt once; signals within two seconds of the first change nothing.

    A later one ends the process by its default action: it goes on although it was interrupted.
    """

    def __init__(self) -> None:
        self.first: float | None = None  # when the first signal came, by the monotonic clock

    def __call__(self, number: int, _frame: "FrameType | None") -> None:
        """Handle one signal."""
        now = time.monotonic()
        if self.first is None:
            self.first = now
            raise KeyboardInterrupt
        if now - self.first >= PATIENCE_SECONDS:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
