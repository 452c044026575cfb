"""Commands whose modules are loaded when they are called: `fund halt` loads no more than it needs."""

import ast
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, override

import typer
from typer.core import TyperCommand, TyperGroup

from fund.commands import COMMANDS, CommandSource


class LazyCommand(TyperCommand):
    """A command that is listed without its module, and replaced by the real one when it is called.

    Args:
        source: Where the command is written.
        text: Its help text, needed where it is listed.
    """

    def __init__(self, source: CommandSource, text: str = "") -> None:
        super().__init__(source.name, help=text, rich_help_panel=source.panel)
        self.source = source

    @override
    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """The context in which the real command runs."""
        return load_command(self.source).make_context(*arguments, **options)


class LazyGroup(TyperGroup):
    """All commands of the command line; their help texts are read from their files where they are listed."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - what typer gives
        super().__init__(**options)
        for source in COMMANDS:
            self.add_command(LazyCommand(source))

    @override
    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help page."""
        for source in COMMANDS:
            self.add_command(LazyCommand(source, read_help(source)))
        super().format_help(ctx, formatter)


def load_command(source: CommandSource) -> Any:  # noqa: ANN401 - typer does not export the class of its commands
    """The command or the group, from its module."""
    loaded = typer.main.get_command(import_module(source.module).commands)
    return loaded.commands.get(source.name, loaded) if isinstance(loaded, TyperGroup) else loaded


def read_help(source: CommandSource) -> str:
    """The docstring of the command's function, read without running the module."""
    found = find_spec(source.module)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(source.module)
    tree = ast.parse(Path(found.origin).read_text(encoding="utf-8"))
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == source.name)
    return ast.get_docstring(next(functions)) or ""
