"""The commands that research a strategy: each is `python -m research COMMAND ...` with the same arguments."""

import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

import typer

from fund.options import TYPED

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
    run_research(["check", *context.args], TYPED)


@commands.command(context_settings=ARGUMENTS_AS_GIVEN)
def sweep(context: typer.Context) -> None:
    """Backtest a strategy for every combination of parameters."""
    run_research(["sweep", *context.args], TYPED)


@commands.command(context_settings=ARGUMENTS_AS_GIVEN)
def research(context: typer.Context) -> None:
    """Run any research command: signal sheets, fault runs, ...; `./fund research --help` lists them."""
    run_research(context.args, f"{TYPED} research")


def run_research(arguments: Sequence[str], typed: str = TYPED) -> NoReturn:
    """Become the command: Ctrl-C reaches it, and its exit status is this one's.

    typed: What its usage lines begin with: what was typed before the arguments.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # until research has begun: Python itself would print a traceback
    variables = os.environ | {"RESEARCH_TYPED_AS": typed}
    os.execve(sys.executable, [sys.executable, "-m", "research", *arguments], variables)  # noqa: S606 - our own interpreter and module
