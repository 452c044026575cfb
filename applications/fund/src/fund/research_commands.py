"""The commands that research a strategy: each is `python -m research COMMAND ...` with the same arguments."""

import os
from collections.abc import Sequence
from typing import NoReturn

import typer

from fund.options import TYPED
from fund.passing_on import ARGUMENTS_AS_GIVEN, become

commands = typer.Typer(add_completion=False)


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
    """Become the command.

    typed: What its usage lines begin with: what was typed before the arguments.
    """
    become("research", arguments, os.environ | {"RESEARCH_TYPED_AS": typed})
