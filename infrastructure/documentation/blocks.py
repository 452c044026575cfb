"""The fenced blocks of the documentation: each has a language, which says what is done with it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from infrastructure.documentation.index_for_models import ROOT, read_navigation

GENERATED: Final = frozenset({"reference/commands.md", "reference/http_api.md"})
FENCE: Final = re.compile(r"^ *```([^\n]*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
OTHER_PAGES: Final = ("CONTRIBUTING.md", "infrastructure/README.md")


class Language(StrEnum):
    """The languages of blocks."""

    CONSOLE = "console"  # commands, one a line: run on an offline fund, or checked to exist
    PYTHON = "python"  # run on an offline fund
    TOML = "toml"  # read as fund.toml
    JSON = "json"  # parsed
    TEXT = "text"  # a diagram, or what a command printed when somebody ran it


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: The page that has it, from the root of the repository.
        line: The line of its fence.
        language: What is done with it.
        text: What it holds.
    """

    page: str
    line: int
    language: Language
    text: str

    @property
    def commands(self) -> list[str]:
        """The commands of a console block: lines that end in a backslash are joined, comments are left out."""
        lines = (re.sub(r"\s+#\s.*$|^#\s.*$", "", line) for line in self.text.replace("\\\n", " ").splitlines())
        return [" ".join(line.split()) for line in lines if line.strip()]


def find_pages() -> list[Path]:
    """README.md, the pages of the site in the order of its navigation, then decisions and pages of folders."""
    docs = ROOT / "docs"
    named = [docs / path for _, path in read_navigation() if path not in GENERATED]
    others = [page for page in sorted(docs.rglob("*.md")) if page.relative_to(docs).as_posix() not in GENERATED]
    pages = [ROOT / "README.md", *named, *others, *(ROOT / name for name in OTHER_PAGES)]
    return list(dict.fromkeys(pages))


def read_blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page in their order.

    Raises:
        ValueError: A block has no language, or one that nothing is done with.
    """
    name, text = page.relative_to(ROOT).as_posix(), page.read_text()
    for found in FENCE.finditer(text):
        line = text[: found.start()].count("\n") + 1
        try:
            language = Language(found[1])
        except ValueError as error:
            allowed = ", ".join(Language)
            raise ValueError(f"{name}:{line}: a block of {found[1] or 'no language'}; it must be {allowed}") from error
        yield Block(name, line, language, found[2])
