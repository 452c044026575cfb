"""`fund mcp`: lets a language model ask the running fund, over the Model Context Protocol."""

import typer

commands = typer.Typer()


@commands.command()
def mcp() -> None:
    """Answer a language model's questions about the fund, on standard input and output; it can change nothing."""
    from fund.mcp_server.server import make_server

    make_server().run("stdio")
