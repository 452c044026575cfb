"""`fund report`: the last daily report of the running fund."""

import json

import typer

from fund.options import JsonOption
from fund.trader import connect_to_trader

commands = typer.Typer(add_completion=False)


@commands.command()
def report(*, as_json: JsonOption = False) -> None:
    """Show the last daily report: value, gains by side and name, fills, and the orders for the next open."""
    answer = connect_to_trader().get("/reports/daily")
    if as_json:
        typer.echo(json.dumps(answer, indent=2))
    else:
        typer.echo(answer["text"])
