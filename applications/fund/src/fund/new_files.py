"""`fund new strategy NAME`: writes a strategy's file that runs as it is, and says what to do with it."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from internal.strategies.template import class_name, write_strategy

commands = typer.Typer(no_args_is_help=True, add_completion=False)


@commands.callback()
def new() -> None:
    """Write a new strategy's file."""


@commands.command()
def strategy(
    name: Annotated[str, typer.Argument(help="Lowercase letters, digits and underscores, for example reversal.")],
    folder: Annotated[Path, typer.Option("--folder", help="Where the file is written.")] = Path("strategies"),
) -> None:
    """Write FOLDER/NAME.py: about thirty lines that run as they are."""
    path = write_strategy(folder, name)
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"Wrote {path}. Change what it scores, then:")
    console.print(f"  ./fund check {path}")
    console.print(f"  STRATEGY={path}:{class_name(name)} ./fund up")
