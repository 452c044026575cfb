"""The page of every `./fund` command with its arguments and options, made from the command line's own definitions."""

from collections.abc import Iterator
from typing import Any, cast

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from fund.commands import COMMANDS
from fund.lazy_commands import load_command
from fund.offline_commands import THROUGH_SERVICES, through_services
from models.__main__ import application as models
from research.command_line import application as research

HEAD = """# Commands

Every command of `./fund`, with its arguments and options. This page is made from the command line itself.
"""


def find_commands() -> dict[tuple[str, ...], TyperCommand]:
    """Every command by its words: `("data", "import")`. Groups themselves are left out.

    Commands that pass their arguments on to `python -m research` or `python -m models` are those that they become.
    """
    studies, services = cast("TyperGroup", get_command(research)), get_command(through_services)
    followed: dict[str, list[tuple[tuple[str, ...], Any]]] = {
        "backtest": [(("backtest",), studies.commands["backtest"]), (("backtest", THROUGH_SERVICES), services)],
        "check": [(("check",), studies.commands["check"])],
        "sweep": [(("sweep",), studies.commands["sweep"])],
        "research": [(("research",), studies)],
        "models": [(("models",), get_command(models))],
    }
    return {
        words: command
        for source in COMMANDS
        for start, found in followed.get(source.name) or [((source.name,), load_command(source))]
        for words, command in _walk(start, found)
    }


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
