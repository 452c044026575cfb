"""`fund notify`: try the targets of messages to the owner, and list what was sent."""

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from fund.trader import connect_to_trader

commands = typer.Typer(no_args_is_help=True, add_completion=False)

NO_TARGETS = (
    "No targets: put one URL a line into a file, such as tgram://TOKEN/CHAT or mailto://user:password@example.com, run "
    "`./fund init --yes --key NOTIFICATION_URLS=FILE`, and start the fund again. (Services that were started one by "
    "one read the file that NOTIFICATION_URLS_FILE names.)"
)


@commands.callback()
def notify() -> None:
    """Try the targets of messages to the owner, and list what was sent."""


@commands.command()
def test() -> None:
    """Send a test message to every target; exit code 1 unless all of them took it."""
    service, console = connect_to_trader(), Console(soft_wrap=True)
    targets = service.post("/notifications/test", {})["targets"]
    if not targets:
        console.print(escape(NO_TARGETS))
        raise typer.Exit(1)
    for target in targets:
        console.print(f"{escape(target['name'])}: {'sent' if target['sent'] else 'not taken; check its URL'}")
    if not all(target["sent"] for target in targets):
        raise typer.Exit(1)


@commands.command("list")
def list_messages() -> None:
    """List the newest messages, and whether each target took them."""
    service, console = connect_to_trader(), Console()
    found = service.get("/notifications")["notifications"]
    table = Table("time (UTC)", Column("message", overflow="fold"), "target", "state", "attempts")
    for one in found:
        target, state = (one["subscriber"], one["state"]) if one["subscriber"] else ("none", "not sent")
        table.add_row(one["time"][:16], escape(one["title"]), escape(target), state, str(one["attempts"]))
    console.print(table if found else "No messages yet.")
