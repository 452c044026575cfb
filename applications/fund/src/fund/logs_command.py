"""`fund logs`: the logs of the services, their ends or as they grow."""

import json
import time
from typing import Annotated

import typer

from fund.folder import FundFolder
from fund.log_lines import LogReader
from fund.log_page import format_line
from fund.services import Service
from internal.errors import NotFoundError
from internal.terminal_lines import terminal_width

POLL_SECONDS = 0.5

ServiceArgument = Annotated[Service | None, typer.Argument(help="One service; all of them by default.")]
LinesOption = Annotated[int, typer.Option("--lines", min=1, help="How many lines of each log.")]
RawOption = Annotated[bool, typer.Option("--json", help="Print one line of JSON for each line.")]
FollowOption = Annotated[bool, typer.Option("--follow", "-f", help="Go on with new lines until Ctrl-C.")]


commands = typer.Typer(add_completion=False)


@commands.command()
def logs(
    service: ServiceArgument = None,
    *,
    lines: LinesOption = 20,
    follow: FollowOption = False,
    as_json: RawOption = False,
) -> None:
    """Show the last lines of the services' logs: time (UTC), service, level, event and fields."""
    folder = FundFolder.from_environment()
    services = tuple(Service) if service is None else (service,)
    readers = {one: LogReader(folder.log(one)) for one in services}
    if not follow and not any(reader.path.exists() for reader in readers.values()):
        raise NotFoundError(f"there is no log in {folder.logs}: no service has run in this folder yet")
    for name, reader in readers.items():
        _print(name, reader.read_last(lines), as_json=as_json)
    while follow:
        time.sleep(POLL_SECONDS)
        for name, reader in readers.items():
            _print(name, reader.read_new(), as_json=as_json)


def _print(name: Service, lines: list[str], *, as_json: bool) -> None:
    width = terminal_width()
    for line in lines:
        typer.echo(_as_json(name, line) if as_json else "\n".join(format_line(name, line, width)))


def _as_json(name: Service, line: str) -> str:
    """A line as it is in the file; what a crash has printed beside the log becomes JSON too."""
    return line if line.startswith("{") else json.dumps({"service": name, "event": line})
