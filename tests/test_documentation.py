"""The documentation site: its navigation names every page, every command exists, and every block is run or checked.

`python -m infrastructure.documentation.run_blocks`, a step of .ci/run, runs commands and Python on a running fund.
"""

import json
import re
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from fund.offline_commands import THROUGH_SERVICES, through_services
from fund.settings.fund_settings import read_settings
from infrastructure.documentation.blocks import GENERATED, Block, Language, find_pages, read_blocks
from infrastructure.documentation.commands import find_commands, list_options, write_commands_page
from infrastructure.documentation.console_commands import RULES, Treatment, choose_treatment
from infrastructure.documentation.http_api import HEAD, write_service
from infrastructure.documentation.index_for_models import ROOT, read_navigation, write_index
from infrastructure.documentation.run_blocks import list_runnables
from internal.errors import ConfigurationError
from models.__main__ import application as models
from research.command_line import application as research

DOCS = ROOT / "docs"
PAGES = [path for path in sorted(DOCS.rglob("*.md")) if path.relative_to(DOCS).as_posix() not in GENERATED]
RESEARCH = {"backtest", "check", "research", "sweep"}
BLOCKS = [block for page in find_pages() for block in read_blocks(page)]
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
    """The options of each `./fund` command; those of research in one set, and those of models in one."""
    found = {
        words: {name for option in list_options(command) for name in (*option.opts, *option.secondary_opts)}
        for words, command in find_commands().items()
    }
    group = get_command(research)
    assert isinstance(group, TyperGroup)
    for words in RESEARCH:
        found[words,] |= {name for one in group.commands.values() for each in one.params for name in each.opts}
    trained = get_command(models)
    assert isinstance(trained, TyperGroup)
    found["models",] |= {name for one in trained.commands.values() for each in one.params for name in each.opts}
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


@pytest.mark.parametrize("page", find_pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
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


@pytest.mark.parametrize("page", find_pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
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


@pytest.mark.parametrize("page", find_pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_models_commands(page: Path) -> None:
    """Every `uv run models ...` on the page is a command of `models`, with options that it has."""
    group = get_command(models)
    assert isinstance(group, TyperGroup)
    known = {name: {opt for one in command.params for opt in one.opts} for name, command in group.commands.items()}
    for line in read_code(page):
        if found := re.search(r"uv run models (\w+)(.*)", line):
            assert found[1] in known, f"{page.name}: {line}"
            assert find_options(found[2]) <= known[found[1]], f"{page.name}: {line}"


@pytest.mark.parametrize("page", find_pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_modules(page: Path) -> None:
    """Every `python -m ...` on the page names a module."""
    for line in read_code(page):
        for name in re.findall(r"python -m ([\w.]+)", line):
            assert find_spec(name), f"{page.name}: {line}"


def test_every_command_is_run_or_has_a_reason() -> None:
    """Each command of a console block has a treatment, and what runs it elsewhere is a file of the repository."""
    commands = [command for block in BLOCKS if block.language is Language.CONSOLE for command in block.commands]
    treatments = [choose_treatment(command) for command in commands]
    assert treatments.count(Treatment.RUN) > 20
    assert all((ROOT / rule.place).exists() for rule in RULES)
    assert all(bool(rule.place) is (rule.treatment is Treatment.ELSEWHERE) for rule in RULES)
    with pytest.raises(ValueError, match=r"no rule says whether '\./fund unheard'"):
        choose_treatment("./fund unheard")


def test_a_command_is_run_once() -> None:
    """Commands in the order of the blocks, without comments, and the Python blocks of a page as one program."""
    console = Block(
        "a.md", 1, Language.CONSOLE, "./fund status  # how it is\n./fund orders \\\n    --count 5\n./fund run\n"
    )
    again = Block("b.md", 1, Language.CONSOLE, "./fund status\n")
    python = [Block("a.md", line, Language.PYTHON, text) for line, text in ((5, "x = 1\n"), (9, "print(x)\n"))]
    found = list(list_runnables([console, *python, again]))
    assert [one.shown for one in found] == ["./fund status", "./fund orders --count 5", "2 Python blocks"]
    assert found[-1].words[-1] == "x = 1\n\nprint(x)\n"


def test_a_block_of_no_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named with its line, and so is one in a language that nothing is done with."""
    monkeypatch.setattr("infrastructure.documentation.blocks.ROOT", tmp_path)
    page = tmp_path / "page.md"
    for fence, named in (("", "no language"), ("ruby", "ruby")):
        page.write_text(f"# Page\n\n```{fence}\nputs 1\n```\n")
        with pytest.raises(ValueError, match=f"^page.md:3: a block of {named}; it must be console"):
            list(read_blocks(page))


@pytest.mark.parametrize("block", [one for one in BLOCKS if one.language is Language.TOML], ids=lambda one: one.page)
def test_toml_blocks(block: Block, tmp_path: Path) -> None:
    """A block of fund.toml has keys and values that the fund takes; a wrong key would be named."""
    path = tmp_path / "fund.toml"
    path.write_text(block.text)
    assert read_settings(path).mode
    path.write_text(block.text.replace("mode", "mood"))
    with pytest.raises(ConfigurationError, match="mood"):
        read_settings(path)


@pytest.mark.parametrize("block", [one for one in BLOCKS if one.language is Language.JSON], ids=lambda one: one.page)
def test_json_blocks(block: Block, options: dict[tuple[str, ...], set[str]]) -> None:
    """The configuration of a client of `fund mcp` starts a command that exists."""
    servers = json.loads(block.text)["mcpServers"]
    assert all(tuple(server["args"]) in options for server in servers.values())


@pytest.mark.parametrize("page", find_pages(), ids=str)
def test_heads_of_tables(page: Path) -> None:
    """A column without a head has no name for a screen reader."""
    lines = page.read_text().splitlines()
    heads = [head for head, rule in pairwise(lines) if re.fullmatch(r"\|(\s*:?-+:?\s*\|)+", rule.strip())]
    assert [head for head in heads if re.search(r"\|\s*\|", head)] == []
