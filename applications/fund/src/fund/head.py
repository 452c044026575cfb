"""What comes before each command: its version if asked for, and the banner that says whose money is traded."""

import sys
from typing import Annotated

import typer

from fund.folder import FundFolder
from fund.stakes import show_banner
from fund.version import describe_version
from internal.errors import FundError

WITHOUT_BANNER = frozenset({"backtest", "check", "init", "new", "research", "run", "status", "sweep", "up"})


def show_head(
    context: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help="Show version and commit.")] = False,
) -> None:
    """The whole fund on one machine: offline with `up`, for real with `init` and `run`."""
    if version:
        typer.echo(describe_version())
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit
    if context.invoked_subcommand not in WITHOUT_BANNER and "--help" not in sys.argv:
        show_mode()


def show_mode() -> None:
    """Print the banner to standard error, so that `--json` stays JSON; without a fund there is none."""
    try:
        mode = FundFolder.from_environment().read_mode()
    except FundError:
        return  # the command itself says what is wrong with the folder
    if mode is not None:
        show_banner(mode, err=True)
