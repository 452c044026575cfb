"""Breaks long lines at the terminal's width; what goes to a file or another program keeps its lines whole."""

import shutil
import sys
import textwrap
from collections.abc import Iterable
from typing import TextIO

WHOLE = 0


def terminal_width(stream: TextIO | None = None) -> int:
    """The columns of the terminal that the stream (by default, standard output) goes to, 0 where it goes elsewhere."""
    return shutil.get_terminal_size().columns if (stream or sys.stdout).isatty() else WHOLE


def wrap(text: str, width: int, indent: str = "  ") -> list[str]:
    """The lines of a text, none longer than the width unless one word is; what is broken off is indented."""
    if width == WHOLE:
        return text.splitlines() or [""]
    return [
        part
        for line in text.splitlines() or [""]
        for part in textwrap.wrap(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
        or [""]
    ]


def echo_lines(lines: Iterable[str]) -> None:
    """Print lines, each broken at the terminal's width."""
    width = terminal_width()
    for line in lines:
        sys.stdout.write("\n".join(wrap(line, width)) + "\n")


def format_error(detail: str) -> str:
    """The text of an error on standard error, broken at the terminal's width."""
    return "\n".join(wrap(f"error: {detail}", terminal_width(sys.stderr), "")) + "\n"
