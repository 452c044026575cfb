"""`fund down`: ends the fund of the folder."""

import typer

from fund.folder import FundFolder
from fund.processes import end_leftovers

commands = typer.Typer(add_completion=False)


@commands.command()
def down() -> None:
    """End the fund of this folder, and any process that an interrupted run left behind."""
    ended = end_leftovers(FundFolder.from_environment())
    typer.echo(f"Ended: {', '.join(ended)}." if ended else "Nothing was running.")
