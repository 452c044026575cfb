"""`fund books`: what the books of the running fund add up to, and their export for taxes and for beancount."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fund.trader import connect_to_trader
from internal.atomic_files import write_atomically
from internal.terminal_lines import echo_lines

commands = typer.Typer(no_args_is_help=True, add_completion=False)


class ExportFormat(StrEnum):
    """The files that the books can be exported as."""

    CSV = "csv"
    BEANCOUNT = "beancount"


@commands.callback()
def books() -> None:
    """Show and export the books of the running fund."""


@commands.command()
def show() -> None:
    """Show cash, flows, profit by kind, and every difference from the broker; exit code 1 when there is one."""
    from fund.answers import BooksSummary

    summary = BooksSummary.model_validate(connect_to_trader().get("/books"))
    echo_lines(summary.describe())
    if summary.differences:
        raise typer.Exit(1)


@commands.command()
def export(
    *,
    form: Annotated[
        ExportFormat, typer.Option("--format", help="csv: realised gains as on IRS Form 8949; beancount: a ledger.")
    ],
    year: Annotated[int | None, typer.Option("--year", help="Gains of one year alone.")] = None,
    output: Annotated[Path | None, typer.Option("--output", dir_okay=False, help="A file, else the terminal.")] = None,
) -> None:
    """Export the books of the running fund."""
    parameters = {"format": form.value} | ({} if year is None else {"year": str(year)})
    text = connect_to_trader().text("/books/export", **parameters)
    if output is None:
        typer.echo(text, nl=False)
    else:
        write_atomically(output, text)
