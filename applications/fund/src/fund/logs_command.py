"""`fund logs`: the logs of the services, their ends or as they grow."""

import time
from typing import Annotated

import typer

from fund.folder import FundFolder
from fund.log_lines import LogReader
from fund.services import Service
from internal.errors import NotFoundError

POLL_SECONDS = 0.5

ServiceArgument = Annotated[Service | None, typer.Argument(help="One service; all of them by default.")]
LinesOption = Annotated[int, typer.Option("--lines", min=1, help="How many lines of each log.")]
FollowOption = Annotated[bool, typer.Option("--follow", "-f", help="Go on with new lines until Ctrl-C.")]


commands = typer.Typer()


@commands.command()
def logs(service: ServiceArgument = None, *, lines: LinesOption = 20, follow: FollowOption = False) -> None:
    """Show the last lines of the services' logs, each with the name of its service."""
    folder = FundFolder.from_environment()
    services = tuple(Service) if service is None else (service,)
    readers = {one: LogReader(folder.log(one)) for one in services}
    if not follow and not any(reader.path.exists() for reader in readers.values()):
        raise NotFoundError(f"there is no log in {folder.logs}: no service has run in this folder yet")
    for name, reader in readers.items():
        _print(name, reader.read_last(lines))
    while follow:
        time.sleep(POLL_SECONDS)
        for name, reader in readers.items():
            _print(name, reader.read_new())


def _print(name: Service, lines: list[str]) -> None:
    for line in lines:
        typer.echo(f"{name}: {line}")
