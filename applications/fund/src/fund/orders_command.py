"""`fund orders`: the newest orders of the journal, and what others hold and have ordered in the account."""

from typing import Annotated

import typer

from fund.options import JsonOption

CountOption = Annotated[int, typer.Option("--count", min=1, help="How many of the newest orders.")]

commands = typer.Typer(add_completion=False)


@commands.command()
def orders(*, count: CountOption = 20, as_json: JsonOption = False) -> None:
    """Show the newest orders of the running fund, and hand trades and orders of others in its account."""
    from fund.orders_page import report_orders

    report_orders(count, as_json=as_json)
