"""Ctrl-C of a command line: once as an exception, then ignored, at last the end."""

import os
import signal
import subprocess
import sys

import pytest

from internal.interrupts import PATIENCE_SECONDS, RaiseOnce

PROGRAM = """
import signal, sys
from internal.interrupts import run_interruptible

def strike():
    signal.raise_signal(signal.SIGINT)

def run():
    try:
        strike()
    except KeyboardInterrupt:
        strike()
        sys.exit(130)

def load():
    if "load" in sys.argv:
        strike()
    return run

run_interruptible(load)
"""


STRUCK_AT_EACH_IMPORT = """
import _signal, sys

class Watch:
    def find_spec(self, name, path=None, target=None):
        if _signal.getsignal(_signal.SIGINT) is not _signal.default_int_handler:
            print(*early, flush=True)
            _signal.raise_signal(_signal.SIGINT)
        early.append(name)

early = []
sys.meta_path.insert(0, Watch())
_signal.signal(_signal.SIGINT, _signal.default_int_handler)
from {entry} import main
main()
"""


@pytest.mark.parametrize("entry", ["fund.entry", "models.entry", "research.__main__"])
def test_a_command_takes_the_signal_before_it_loads_anything(entry: str) -> None:
    """Four files of its own are read before Ctrl-C ends it without a word: itself and this handler, in their packages.

    What strikes earlier is answered by Python, which is still starting, with a traceback.
    """
    program = STRUCK_AT_EACH_IMPORT.format(entry=entry)
    measured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}  # it loads much
    ended = subprocess.run([sys.executable, "-c", program], env=measured, capture_output=True, check=False, text=True)  # noqa: S603 - our own
    early = [entry.partition(".")[0], entry, "internal", "internal.interrupts"]
    assert (ended.returncode, ended.stderr, ended.stdout.split()) == (-signal.SIGINT, "", early)


@pytest.mark.parametrize(("moment", "status"), [("load", -signal.SIGINT), ("run", 130)])
def test_a_program_that_is_interrupted(moment: str, status: int) -> None:
    """While it loads the process ends at once; while it runs the second one changes nothing; neither prints."""
    ended = subprocess.run([sys.executable, "-c", PROGRAM, moment], capture_output=True, check=False)  # noqa: S603 - our own
    assert (ended.returncode, ended.stderr) == (status, b"")


def test_a_swallowed_interrupt() -> None:
    """When the first was swallowed, one that comes later ends the process by the signal's default action."""
    handler = RaiseOnce()
    with pytest.raises(KeyboardInterrupt):
        handler(signal.SIGURG, None)
    before = signal.getsignal(signal.SIGURG)
    handler(signal.SIGURG, None)
    assert signal.getsignal(signal.SIGURG) is before
    handler.first = (handler.first or 0.0) - PATIENCE_SECONDS
    signal.signal(signal.SIGURG, lambda _number, _frame: None)
    handler(signal.SIGURG, None)  # its default action is to do nothing
    assert signal.getsignal(signal.SIGURG) is signal.SIG_DFL
    signal.signal(signal.SIGURG, before)


COLLECTED = """
import gc
from internal.interrupts import run_interruptible

def load():
    print(gc.isenabled())
    return lambda: print(gc.isenabled(), gc.get_freeze_count() > 1000)

run_interruptible(load)
"""


def test_what_a_command_loads_is_not_searched_for_garbage() -> None:
    """Python's collector is off while it loads, is on while it runs, and then leaves out what was loaded."""
    done = subprocess.run([sys.executable, "-c", COLLECTED], capture_output=True, text=True, check=True)  # noqa: S603 - fixed words
    assert done.stdout.split() == ["False", "True", "True"]
