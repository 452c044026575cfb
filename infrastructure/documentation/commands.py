"""The page of every `./fund` command with its arguments and options, made from the command line's own definitions."""

from collections.abc import Iterator
from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from fund.commands import COMMANDS
from fund.lazy_commands import load_command

HEAD = """# Commands

Every command of `./fund`, with its arguments and options. This page is made from the command line itself.
`check`, `sweep` and `research` pass everything on to `python -m research`, and `models` to `python -m models`; their
options are shown by `--help`.
"""


def find_commands() -> dict[tuple[str, ...], TyperCommand]:
    """Every command by its words: `("data", "import")`. Groups themselves are left out."""
    return {words: command for source in COMMANDS for words, command in _walk((source.name,), load_command(source))}


def _walk(
    words: tuple[str, ...],
    command: Any,  # noqa: ANN401 - typer does not export the class of its commands
) -> Iterator[tuple[tuple[str, ...], TyperCommand]]:
    if isinstance(command, TyperGroup):
        for name, child in command.commands.items():
            yield from _walk((*words, name), child)
    else:
        yield words, command


def list_options(command: TyperCommand) -> list[TyperOption]:
    """The options of a command, in the order in which its help shows them."""
    return [one for one in command.params if isinstance(one, TyperOption) and not one.hidden]


def write_commands_page() -> str:
    """The page in Markdown."""
    return "\n".join([HEAD, *(_write_command(words, command) for words, command in sorted(find_commands().items()))])


def _write_command(words: tuple[str, ...], command: TyperCommand) -> str:
    """One command: its usage, its help, and a table of its options."""
    arguments = [_name_argument(one) for one in command.params if isinstance(one, TyperArgument)]
    options = list_options(command)
    usage = " ".join(["./fund", *words, *arguments, *(["[OPTIONS]"] if options else [])])
    lines = [f"## {' '.join(words)}", "", "```", usage, "```", "", (command.help or "").strip(), ""]
    if options:
        lines += ["| option | meaning |", "|---|---|", *map(_write_option, options), ""]
    return "\n".join(lines)


def _name_argument(argument: TyperArgument) -> str:
    name = (argument.name or "").upper()
    return name if argument.required else f"[{name}]"


def _write_option(option: TyperOption) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    return f"| {names} | {' '.join((option.help or '').split()).replace('|', '&#124;')} |"
