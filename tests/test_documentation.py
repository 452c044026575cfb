"""The documentation site: its navigation names every page, and every command on a page exists with its options."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from fund.offline_commands import THROUGH_SERVICES, through_services
from infrastructure.documentation.commands import find_commands, list_options, write_commands_page
from infrastructure.documentation.http_api import HEAD, write_service
from infrastructure.documentation.index_for_models import ROOT, read_navigation, write_index
from research.__main__ import application as research

DOCS = ROOT / "docs"
GENERATED = {"reference/commands.md", "reference/http_api.md"}
PAGES = [path for path in sorted(DOCS.rglob("*.md")) if path.relative_to(DOCS).as_posix() not in GENERATED]
RESEARCH = {"backtest", "check", "research", "sweep"}
LAUNCHER = {"test", "--version", "--help", "COMMAND"}


def read_code(page: Path) -> Iterator[str]:
    """Each line of the fenced blocks and each inline code of a page, without comments."""
    text = page.read_text()
    for block in re.findall(r"^```[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield from (re.split(r"\s#", line)[0] for line in block.replace("\\\n", " ").splitlines())
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def find_options(line: str) -> set[str]:
    """The long options of a command line."""
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", line))


@pytest.fixture(scope="module")
def options() -> dict[tuple[str, ...], set[str]]:
    """The options of each `./fund` command; those of research in one set."""
    found = {
        words: {name for option in list_options(command) for name in (*option.opts, *option.secondary_opts)}
        for words, command in find_commands().items()
    }
    group = get_command(research)
    assert isinstance(group, TyperGroup)
    for words in RESEARCH:
        found[words,] |= {name for one in group.commands.values() for each in one.params for name in each.opts}
    found["backtest",] |= {
        THROUGH_SERVICES,
        *(name for one in get_command(through_services).params for name in one.opts),
    }
    return found


def test_navigation_names_every_page() -> None:
    """Each page once; decisions are reached from their index."""
    named = [path for _, path in read_navigation()]
    pages = {path.relative_to(DOCS).as_posix() for path in PAGES}
    decisions = {path for path in pages if path.startswith("decisions/")} - {"decisions/README.md"}
    assert sorted(named) == sorted((pages - decisions) | GENERATED)


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.relative_to(ROOT).as_posix())
def test_fund_commands(page: Path, options: dict[tuple[str, ...], set[str]]) -> None:
    """Every `./fund ...` on the page is a command of the command line, with options that it has."""
    for line in read_code(page):
        for given in re.findall(r"\./fund ([^|&;)`]+)", line):
            words = given.split()
            if words[0] in LAUNCHER or (len(words) == 1 and words[0] in {name[0] for name in options}):
                continue  # the second: a group of commands, named as a whole
            command = next((tuple(words[:count]) for count in (2, 1) if tuple(words[:count]) in options), None)
            assert command, f"{page.name}: ./fund {given}"
            assert find_options(given) <= options[command] | {"--help"}, f"{page.name}: ./fund {given}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_mask_tasks(page: Path) -> None:
    """Every `mask ...` on the page is a task of maskfile.md."""
    tasks: set[str] = set()
    path: list[str] = []
    for marks, name in re.findall(r"^(##+) ([\w-]+)", (ROOT / "maskfile.md").read_text(), re.MULTILINE):
        path = [*path[: len(marks) - 2], name]
        tasks.add(" ".join(path))
    for line in read_code(page):
        if found := re.match(r"mask ((?:[a-z]+[a-z-]*(?: |$))+)", line):
            words = found[1].split()
            assert words[0] in tasks, f"{page.name}: {line}"
            if len(words) > 1 and any(task.startswith(f"{words[0]} ") for task in tasks):
                assert " ".join(words[:2]) in tasks, f"{page.name}: {line}"


def test_generated_pages(tmp_path: Path) -> None:
    """The page of commands has a heading for each, and the index for language models a line for each page."""
    page = write_commands_page()
    assert all(f"\n## {' '.join(words)}\n" in page for words in find_commands())
    shutil.copytree(DOCS, tmp_path / "docs")
    (tmp_path / "docs" / "reference" / "commands.md").write_text(page)
    (tmp_path / "docs" / "reference" / "http_api.md").write_text(HEAD)
    lines = [line for line in write_index(tmp_path / "docs").splitlines() if line.startswith("- [")]
    assert len(lines) == len(read_navigation())
    assert all(re.search(r"\): \S", line) for line in lines), lines


def test_http_page() -> None:
    """A row for each route of a document: parameters, those that must be given, and the body."""
    day = {"name": "date", "required": True}
    paths: dict[str, Any] = {
        "/bars": {"get": {"summary": "Bars", "parameters": [day, {"name": "limit"}]}, "post": {"requestBody": {}}}
    }
    page = write_service("any", {"paths": paths})
    assert "| `GET /bars` | `date`&#42;, `limit` | Bars |\n| `POST /bars` | body |  |" in page
