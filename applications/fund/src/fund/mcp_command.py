"""`fund mcp`: lets a language model ask the running fund, over the Model Context Protocol."""

import sys

import typer

from fund.options import TYPED

WAITING = f"""Waiting for an MCP client on standard input. A client starts this program
itself: add `{TYPED} mcp`, with its whole path, to the client's servers, and
FUND_HOME to its environment, as docs/reference/mcp.md shows. Ctrl-C ends this."""

commands = typer.Typer(add_completion=False)


@commands.command()
def mcp() -> None:
    """Answer a language model's questions about the fund, on standard input and output; it can change nothing."""
    from fund.mcp_server.server import make_server

    explain_waiting()
    make_server().run("stdio")


def explain_waiting() -> None:
    """Say to a person at a terminal what this waits for, on standard error: standard output is the client's."""
    if sys.stdin.isatty():
        typer.echo(WAITING, err=True)
