"""`llms.txt`: the pages of the site with one sentence each, for readers that are language models (https://llmstxt.org)."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SITE = ROOT / "zensical.toml"


def read_navigation() -> list[tuple[str, str]]:
    """Title and path, below docs/, of each page of the site, in the order of its navigation."""
    project: dict[str, Any] = tomllib.loads(SITE.read_text())["project"]
    return list(_walk(project["nav"]))


def _walk(entries: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for entry in entries:
        for title, below in entry.items():
            if isinstance(below, str):
                yield title, below
            else:
                yield from _walk(below)


def write_index(docs: Path) -> str:
    """The index in Markdown; a page is described by its first sentence."""
    project: dict[str, Any] = tomllib.loads(SITE.read_text())["project"]
    lines = [f"- [{title}]({path}): {_first_sentence((docs / path).read_text())}" for title, path in read_navigation()]
    return f"# {project['site_name']}\n\n> {project['site_description']}\n\n" + "\n".join(lines) + "\n"


def _first_sentence(page: str) -> str:
    """The first sentence of the first paragraph that is text, without links."""
    paragraphs = re.split(r"\n(?=\n|#|\||```|- )", page.split("\n", 1)[1])
    text = next((one.strip() for one in paragraphs if re.match(r"\s*[A-Z*`]", one)), "")
    plain = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", " ".join(text.split()))
    return re.split(r"(?<=\.) ", plain, maxsplit=1)[0]
