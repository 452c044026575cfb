"""What comes before each command: its version if asked for, and the banner that says whose money is traded."""

import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from fund.folder import FundFolder
from fund.stakes import show_banner
from fund.version import read_version
from internal.errors import FundError

WITHOUT_BANNER = frozenset({"backtest", "check", "init", "new", "research", "run", "status", "sweep", "up"})


def show_head(
    context: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help="Show version and commit.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; with --version.")] = False,
) -> None:
    """The whole fund on one machine: offline with `up`, for real with `init` and `run`."""
    if version:
        found = read_version()
        typer.echo(json.dumps(asdict(found)) if as_json else found.describe())
        raise typer.Exit
    if as_json:
        raise typer.BadParameter("write it after the command: ./fund status --json")
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
