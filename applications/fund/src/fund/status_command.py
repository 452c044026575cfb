"""`fund status`: the services, the last sessions, the model and the portfolio of a fund."""

import typer

from fund.options import JsonOption

commands = typer.Typer(add_completion=False)


@commands.command()
def status(*, as_json: JsonOption = False) -> None:
    """Show the services, the last sessions, the model and the portfolio; exit code 1 unless every service answers."""
    from rich.console import Console

    from fund.addresses import Addresses
    from fund.folder import FundFolder
    from fund.status import show_status
    from fund.status_answer import read_status

    folder = FundFolder.from_environment()
    addresses = Addresses.of_running(folder)
    if as_json:
        answer = read_status(folder, addresses)
        typer.echo(answer.model_dump_json(indent=2, by_alias=True))
        answering = answer.answering
    else:
        answering = show_status(folder, addresses, Console())
    if not answering:
        raise typer.Exit(1)
