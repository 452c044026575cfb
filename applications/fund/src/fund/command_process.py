"""One command in a process of its own, which ends with the fund, however the fund ends."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence

from fund.folder import PRIVATE_MASK
from fund.interrupts import INTERRUPTS

GRACE_SECONDS = 10.0


def run_process(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command to its end; its exit code. Interrupted, it and all that it started are ended first."""
    process: subprocess.Popen[bytes] | None = None
    try:
        with INTERRUPTS.held():
            process = subprocess.Popen(words, env=environment, start_new_session=True, umask=PRIVATE_MASK)  # noqa: S603 - our own
        return process.wait()
    finally:
        if process is not None and process.poll() is None:
            end_group(process)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End the processes of a session: SIGTERM, and SIGKILL after ten seconds or at the next Ctrl-C."""
    with INTERRUPTS.ending(lambda: _signal(process, signal.SIGKILL)):
        _signal(process, signal.SIGTERM)
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            _signal(process, signal.SIGKILL)
            process.wait()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return
