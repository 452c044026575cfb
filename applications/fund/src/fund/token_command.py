"""`fund token`: the token with which a person signs in on the pages."""

import os
from typing import Annotated

import typer

from fund.folder import FundFolder
from fund.unopened import require_opened
from internal.http.roles import derive_reader_token

commands = typer.Typer(add_completion=False)


@commands.command()
def token(
    *, reader: Annotated[bool, typer.Option("--reader", help="Of who may look, halt and reduce, not resume.")] = False
) -> None:
    """Print the owner's token, which the pages and the API ask for, or a reader's."""
    owner = os.environ.get("FUND_API_TOKEN") or _read_stored()
    typer.echo(derive_reader_token(owner) if reader else owner)


def _read_stored() -> str:
    folder = FundFolder.from_environment()
    require_opened(folder)
    return folder.credentials().fund_api_token
