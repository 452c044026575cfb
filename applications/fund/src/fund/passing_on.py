"""Passes a command on to another program of the fund: this process becomes it."""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

ARGUMENTS_AS_GIVEN = {
    "allow_extra_args": True,
    "allow_interspersed_args": False,
    "ignore_unknown_options": True,
    "help_option_names": list[str](),
}  # `--help` behind one of the commands shows the help of the command that it becomes


def become(module: str, arguments: Sequence[str], variables: Mapping[str, str]) -> NoReturn:
    """Become `python -m module ARGUMENTS...`: Ctrl-C reaches it, and its exit status is this one's.

    Args:
        module: A module that takes SIGINT back when it begins, with `run_interruptible`.
        arguments: Its arguments.
        variables: Its whole environment.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # until the module has begun: Python itself would print a traceback
    os.execve(sys.executable, [sys.executable, "-m", module, *arguments], variables)  # noqa: S606 - our own interpreter and module
