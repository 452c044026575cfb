"""The MCP server: what a language model may ask the running fund; no question changes anything."""
