"""`fund data`: files, checks and the quarantine of the data; what a command does is loaded when it runs."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from internal.day_option import DATE, read_day
from internal.file_option import FILE, FILE_OR_FOLDER, read_bars_path, read_details_path

DAYS_HELP = "First day; without both days, the last 90 days."

commands = typer.Typer(no_args_is_help=True, add_completion=False)


@commands.callback()
def data() -> None:
    """Import files of bars and details, check the data, release bars that were held back."""


@commands.command("import")
def import_command(
    *,
    bars: Annotated[
        Path,
        typer.Argument(
            parser=read_bars_path, metavar=FILE_OR_FOLDER, help="Daily bars: CSV, parquet, or a folder of such files."
        ),
    ],
    details: Annotated[
        Path | None,
        typer.Option(
            "--details",
            parser=read_details_path,
            metavar=FILE,
            help="Names, sectors and industries of the tickers.",
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace sessions that the lake holds with other rows.")
    ] = False,
) -> None:
    """Import a file of bars into the lake of FUND_HOME, and say what was understood of it."""
    from fund.addresses import Addresses
    from fund.data_import import import_files
    from fund.display import Display
    from fund.folder import FundFolder

    folder = FundFolder.from_environment()
    import_files(bars, details, folder, Addresses.of_running(folder), Display(), replace=replace)


@commands.command("check")
def check_command(
    *,
    start: Annotated[date | None, typer.Option("--start-date", parser=read_day, metavar=DATE, help=DAYS_HELP)] = None,
    end: Annotated[date | None, typer.Option("--end-date", parser=read_day, metavar=DATE, help="Last day.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Check sessions, quarantine, corporate actions and disagreements; status 1 when something needs doing."""
    if (start is None) != (end is None):
        raise typer.BadParameter("give --start-date and --end-date, or neither for the last 90 days")
    from fund.data_check import check_data

    if check_data(start, end, as_json=as_json):
        raise typer.Exit(1)


@commands.command("release")
def release_command(
    *,
    bars: Annotated[list[str], typer.Argument(help="Bars as TICKER:DATE, for example AAPL:2024-12-31.")],
    why: Annotated[str, typer.Option("--why", help="What confirms them; kept in the audit.")],
    who: Annotated[str | None, typer.Option("--who", help="Who decides; the name of your login by default.")] = None,
) -> None:
    """Release bars from the quarantine into the lake, with a line in the audit."""
    from fund.data_check import release_bars

    release_bars(bars, who, why)
