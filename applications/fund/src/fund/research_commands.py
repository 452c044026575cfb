"""The commands that research a strategy: each is `python -m research COMMAND ...` with the same arguments."""

import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

import typer

ARGUMENTS_AS_GIVEN = {
    "allow_extra_args": True,
    "allow_interspersed_args": False,
    "ignore_unknown_options": True,
    "help_option_names": list[str](),
}  # `--help` behind one of the commands shows the help of the command that it becomes

commands = typer.Typer()


@commands.command(context_settings=ARGUMENTS_AS_GIVEN)
def check(context: typer.Context) -> None:
    """Check a strategy's file for look-ahead, repeatability, missing data and speed."""
    run_research(["check", *context.args])


@commands.command(context_settings=ARGUMENTS_AS_GIVEN)
def sweep(context: typer.Context) -> None:
    """Backtest a strategy for every combination of parameters."""
    run_research(["sweep", *context.args])


@commands.command(context_settings=ARGUMENTS_AS_GIVEN)
def research(context: typer.Context) -> None:
    """Run any research command: signal sheets, fault runs, ...; `./fund research --help` lists them."""
    run_research(context.args)


def run_research(arguments: Sequence[str]) -> NoReturn:
    """Become the command: Ctrl-C reaches it, and its exit status is this one's."""
    sys.stdout.flush()
    sys.stderr.flush()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # until research has begun: Python itself would print a traceback
    os.execv(sys.executable, [sys.executable, "-m", "research", *arguments])  # noqa: S606 - our own interpreter and module
