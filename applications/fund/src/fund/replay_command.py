"""`fund replay`: a past decision taken again from what was known then."""

import json
from datetime import date
from typing import Annotated

import typer

from fund.options import JsonOption
from fund.service_client import Json
from fund.trader import connect_to_trader
from internal.day_option import DATE, read_day
from internal.errors import NotFoundError

SHOWN = 20
DayArgument = Annotated[date, typer.Argument(parser=read_day, metavar=DATE, help="A session that was decided.")]

commands = typer.Typer(add_completion=False)


@commands.command()
def replay(day: DayArgument, *, as_json: JsonOption = False) -> None:
    """Take a past decision again from what was known then, and show what differs; nothing is sent."""
    trader = connect_to_trader()
    try:
        answer = trader.get(f"/decisions/{day}/replay")
    except NotFoundError as error:
        raise NotFoundError(f"{error.detail}; all are on the page {trader.url}/decisions") from error
    typer.echo(json.dumps(answer, indent=2) if as_json else describe_replay(answer))
    if answer["differences"]:
        raise typer.Exit(1)


def describe_replay(answer: Json) -> str:
    """What came of it, in lines."""
    lines = [f"decision {answer['portfolio_id']}: {answer['name_count']:,} names compared"]
    differences = answer["differences"]
    if not differences:
        lines.append("the same, bit for bit: every name, and so every order")
    lines += [f"  {one['ticker']}: {one['field']} was {one['then']}, is {one['now']}" for one in differences[:SHOWN]]
    if len(differences) > SHOWN:
        lines.append(f"  and {len(differences) - SHOWN:,} more; --json shows all")
    if not answer["has_same_rules"]:
        lines.append("strategy, parameters or limits are not those of then")
    return "\n".join(lines)
