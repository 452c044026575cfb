"""Runs the documentation's commands and Python blocks on a running offline fund.

`python -m infrastructure.documentation.run_blocks` uses the fund of `FUND_HOME` and of the ports in the environment.
Commands run in the order of the pages, each once, in one new folder; the first that fails is shown with what it
printed, and the exit code is 1. `--printed FILE` names what `./fund up` has printed in an empty folder: then what the
pages say that it prints is compared with that.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape

from infrastructure.documentation.blocks import Block, Language, find_pages, read_blocks
from infrastructure.documentation.console_commands import TextKind, Treatment, choose_kind, choose_treatment
from infrastructure.documentation.printed_output import find_unprinted

LIMIT_SECONDS: Final = 120.0
OWN_COMMAND: Final = f"{sys.executable} -m fund"


@dataclass(frozen=True)
class Runnable:
    """A command or a page's Python blocks, as words of a process."""

    where: str
    shown: str
    words: tuple[str, ...]


def list_runnables(blocks: list[Block]) -> Iterator[Runnable]:
    """What is run: each command once, and after the commands the Python blocks of each page as one program."""
    known = set[str]()
    for block in blocks:
        for command in block.commands if block.language is Language.CONSOLE else ():
            if choose_treatment(command) is Treatment.RUN and command not in known:
                known.add(command)
                words = ("bash", "-euo", "pipefail", "-c", command.replace("./fund", OWN_COMMAND))
                yield Runnable(f"{block.page}:{block.line}", command, words)
    python = [block for block in blocks if block.language is Language.PYTHON]
    for page in dict.fromkeys(block.page for block in python):
        texts = [block.text for block in python if block.page == page]
        yield Runnable(page, f"{len(texts)} Python blocks", (sys.executable, "-c", "\n".join(texts)))


def run(runnable: Runnable, folder: Path, console: Console) -> bool:
    """Run one, print its time, and what it printed where it fails; whether it succeeded."""
    started = time.monotonic()
    ended = subprocess.run(  # noqa: S603 - commands of our own pages
        runnable.words,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=LIMIT_SECONDS,
    )
    mark = "ok" if ended.returncode == 0 else f"ended with {ended.returncode}"
    console.print(escape(f"{time.monotonic() - started:5.1f} s  {mark}  {runnable.where}  {runnable.shown}"))
    if ended.returncode:
        console.print(escape(ended.stdout))
    return ended.returncode == 0


def summarize(blocks: list[Block]) -> list[str]:
    """How many blocks there are of each language, and how many commands are treated in which way."""
    languages = Counter(block.language for block in blocks)
    treatments = Counter(
        choose_treatment(command)
        for block in blocks
        if block.language is Language.CONSOLE
        for command in block.commands
    )
    counted = ", ".join(f"{count} {language}" for language, count in languages.most_common())
    texts = Counter(choose_kind(block.page, block.text) for block in blocks if block.language is Language.TEXT)
    return [
        f"blocks: {counted}",
        *(f"commands: {count} {kind}" for kind, count in treatments.most_common()),
        *(f"texts: {count} {kind}" for kind, count in texts.most_common()),
    ]


def list_unprinted(blocks: list[Block], printed: str) -> list[str]:
    """What the pages say that `./fund up` prints, and it has not printed, with the place in the page."""
    return [
        f"{block.page}:{block.line}: ./fund up does not print: {part}"
        for block in blocks
        if block.language is Language.TEXT and choose_kind(block.page, block.text) is TextKind.UP
        for part in find_unprinted(block, printed)
    ]


def main(words: Sequence[str]) -> int:
    """Compare, run all, print the counts, and return the exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m {__spec__.name}" if __spec__ else None)
    parser.add_argument("--printed", type=Path, help="what ./fund up has printed in an empty folder")
    given = parser.parse_args(words)
    console = Console(highlight=False, soft_wrap=True)
    blocks = [block for page in find_pages() for block in read_blocks(page)]
    if given.printed is not None and (unprinted := list_unprinted(blocks, given.printed.read_text())):
        console.print("\n".join(map(escape, unprinted)))
        return 1
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        if not all(run(one, Path(folder), console) for one in list_runnables(blocks)):
            return 1
    for line in summarize(blocks):
        console.print(line)
    console.print(f"{time.monotonic() - started:.0f} s in all")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
