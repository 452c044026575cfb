"""The reference page of the MCP server, docs/reference/mcp.md, written from the questions' own definitions."""

import asyncio
import sys
from typing import Final

from mcp.types import Tool

from fund.mcp_server.server import make_server

HEAD: Final = """# MCP server

`./fund mcp` lets a language model ask the running fund, over the [Model Context Protocol](https://modelcontextprotocol.io)
on standard input and output. No question changes anything: the server asks the services with the reader's token and
sends nothing but GET. Each tool has an output schema. Where the fund does not run, the answer is an error that says how
to start it. `uv run python -m fund.mcp_server.reference > docs/reference/mcp.md` writes this page.

## Add it to a client
A client starts the server itself. Most read a JSON file such as `.mcp.json`; name the checkout and the fund's folder:

```json
{
  "mcpServers": {
    "fund": {
      "command": "/path/to/the/checkout/fund",
      "args": ["mcp"],
      "env": {"FUND_HOME": "/path/to/the/checkout/.fund"}
    }
  }
}
```

The server finds the services by the record in that folder, wherever they listen. The model, and whoever runs it, sees
positions, orders and figures of the account; it never sees a key or a token. The protocol's own inspector shows the
answers without a language model: `npx @modelcontextprotocol/inspector ./fund mcp`.

## Questions
A parameter with &#42; must be given.

| tool | parameters | what it answers |
|---|---|---|
"""


def reference_page() -> str:
    """The page in Markdown."""
    return HEAD + "".join(map(_write_row, asyncio.run(make_server().list_tools())))


def _write_row(tool: Tool) -> str:
    required = tool.input_schema.get("required", [])
    names = tool.input_schema.get("properties", {})
    given = ", ".join(f"`{name}`{'&#42;' if name in required else ''}" for name in names)
    return f"| `{tool.name}` | {given} | {' '.join((tool.description or '').split())} |\n"


if __name__ == "__main__":
    sys.stdout.write(reference_page())
