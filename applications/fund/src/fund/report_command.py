"""`fund report`: the last daily report of the running fund."""

import json

import typer
from rich.console import Console
from rich.markup import escape

from fund.addresses import Addresses
from fund.clients import connect
from fund.folder import FundFolder
from fund.options import JsonOption


def add_report_command(application: typer.Typer, panel: str) -> None:
    """Add it to the command line."""
    application.command("report", rich_help_panel=panel)(report)


def report(*, as_json: JsonOption = False) -> None:
    """Show the last daily report: value, gains by side and name, fills, and the orders for the next open."""
    answer = connect(FundFolder.from_environment(), Addresses.from_environment()).portfoliomanager.get("/reports/daily")
    if as_json:
        typer.echo(json.dumps(answer, indent=2))
    else:
        Console(highlight=False).print(escape(answer["text"]))
