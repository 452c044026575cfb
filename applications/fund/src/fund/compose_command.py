"""`fund compose`: a fund in containers without a Swarm."""

from typing import Annotated

import typer

commands = typer.Typer(add_completion=False)


@commands.command()
def compose(
    *, revision: Annotated[str, typer.Option("--revision", help="The images' tag: a commit of the main branch.")]
) -> None:
    """Write what compose.yaml reads of this folder's fund, and print the command that starts the containers."""
    from fund.compose_files import write_compose

    write_compose(revision)
