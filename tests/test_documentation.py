"""The documentation site: its navigation names every page, every command exists, and every block is run or checked.

`python -m infrastructure.documentation.run_blocks`, a step of .ci/run, runs commands and Python on a running fund.
"""

import ast
import json
import re
import shutil
from collections.abc import Iterator
from datetime import date
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from fund.settings.fund_settings import read_settings
from infrastructure.documentation.blocks import GENERATED, Block, Language, find_pages, read_blocks
from infrastructure.documentation.commands import find_commands, list_options, write_commands_page
from infrastructure.documentation.console_commands import (
    RULES,
    TEXT_RULES,
    TextKind,
    Treatment,
    choose_kind,
    choose_treatment,
)
from infrastructure.documentation.http_api import HEAD, write_service
from infrastructure.documentation.index_for_models import ROOT, read_navigation, write_index
from infrastructure.documentation.printed_output import find_unprinted
from infrastructure.documentation.run_blocks import list_runnables
from internal.bar_files.bars import read_bars
from internal.dates import sessions
from internal.errors import ConfigurationError
from internal.event_types import EventType
from internal.lake.tables import TABLES
from models.__main__ import application as models

DOCS = ROOT / "docs"
PAGES = [path for path in sorted(DOCS.rglob("*.md")) if path.relative_to(DOCS).as_posix() not in GENERATED]
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
    """The options of each `./fund` command."""
    return {
        words: {name for option in list_options(command) for name in (*option.opts, *option.secondary_opts)}
        for words, command in find_commands().items()
    }


@pytest.mark.parametrize("page", find_pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_fund_commands(page: Path, options: dict[tuple[str, ...], set[str]]) -> None:
    """Every `./fund ...` on the page is a command of the command line, with options that it has."""
    for line in read_code(page):
        for given in re.findall(r"\./fund ([^|&;)`]+)", line):
            words = given.split()
            if words[0] in LAUNCHER or (set(words[1:]) <= {"--help"} and words[0] in {name[0] for name in options}):
                continue  # the second: a group of commands, named as a whole
            command = next((tuple(words[:count]) for count in (2, 1) if tuple(words[:count]) in options), None)
            assert command, f"{page.name}: ./fund {given}"
            assert find_options(given) <= options[command] | {*command, "--help"}, f"{page.name}: ./fund {given}"


def test_options_that_must_be_given() -> None:
    """Each `./fund ...` of a console block gives every option that its command needs."""
    known = find_commands()
    for block in BLOCKS:
        for words in (one.split("./fund ")[1].split() for one in block.commands if "./fund " in one):
            command = next((known[tuple(words[:count])] for count in (2, 1) if tuple(words[:count]) in known), None)
            options = list_options(command) if command else []
            needed = {option.opts[0] for option in options if option.required}
            assert needed <= find_options(" ".join(words)), f"{block.page}:{block.line}: ./fund {' '.join(words)}"


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


def test_settings_of_commands() -> None:
    """What a command sets is a setting that the reference names, and the application that it starts exists."""
    reference = "".join((DOCS / "reference" / f"{one}.md").read_text() for one in ("settings", "fund_toml"))
    commands = [command for block in BLOCKS if block.language is Language.CONSOLE for command in block.commands]
    given = {name for command in commands for name in re.findall(r"(?<![?&\w])([A-Z]+(?:_[A-Z]+)+)=", command)}
    elsewhere = {"FUND_HOME", "DOCKER_CONTEXT", "DOMAIN", "ACME_EMAIL", "IMAGE_PREFIX"}
    assert len(given) > 12
    assert {name for name in given if f"`{name.removesuffix('_FILE')}`" not in reference} - elsewhere == set()
    started = {name for command in commands for name in re.findall(r"internal\.http\.run (\S+)", command)}
    assert len(started) == 3
    for module, name in (one.split(":") for one in started):
        spec = find_spec(module)
        assert spec is not None
        assert f"\ndef {name}(" in Path(str(spec.origin)).read_text()


def test_every_command_is_run_or_has_a_reason() -> None:
    """Each command of a console block has a treatment, and what runs it elsewhere is a file of the repository."""
    commands = [command for block in BLOCKS if block.language is Language.CONSOLE for command in block.commands]
    treatments = [choose_treatment(command) for command in commands]
    assert treatments.count(Treatment.RUN) > 20
    assert all((ROOT / rule.place).exists() for rule in RULES)
    assert all(bool(rule.place) is (rule.treatment is Treatment.ELSEWHERE) for rule in RULES)
    with pytest.raises(ValueError, match=r"no rule says whether '\./fund unheard'"):
        choose_treatment("./fund unheard")


def test_every_text_is_compared_or_has_a_reason() -> None:
    """Each block of text has a kind, and each rule a block; what another test compares is named."""
    texts = [block for block in BLOCKS if block.language is Language.TEXT]
    kinds = [choose_kind(block.page, block.text) for block in texts]
    assert kinds.count(TextKind.UP) == 2
    assert len(TEXT_RULES) == len(texts)
    assert all((ROOT / rule.place).is_file() is (rule.kind is TextKind.ELSEWHERE) for rule in TEXT_RULES)
    with pytest.raises(ValueError, match="no rule says what the text 'unheard' of"):
        choose_kind("docs/index.md", "unheard")


def test_printed_output() -> None:
    """Figures, dates and versions may differ, and lines may be broken elsewhere; another or a missing word is named."""
    block = Block("a.md", 1, Language.TEXT, "22 orders: 20 filled, 2 submitted\n...\nreturn -0.420%\n\nborrow 3.62\n")
    assert find_unprinted(block, "x 5 orders: 4 filled,\n 1 submitted y\nreturn +1.2%, z\nborrow 0.00") == []
    assert find_unprinted(block, "5 orders: 4 filled, 1 waiting\nreturn 1% borrows 0.00") == [
        "22 orders: 20 filled, 2 submitted",
        "borrow 3.62",
    ]


def test_what_is_printed_of_a_file_of_bars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page of own bars shows what is printed of such a file: semicolons, days first, decimal commas, no volume."""
    (block,) = [one for one in BLOCKS if one.page == "docs/your_own_bars.md" and one.language is Language.TEXT]
    days = sessions(date(2015, 1, 12), date(2015, 2, 20))
    prices = "1.234,5;1.240,5;1.230,5;1.235,5"
    rows = [f"{name};{day:%d.%m.%Y};{prices};{place};USD" for name in ("ARNC", "T") for place, day in enumerate(days)]
    (tmp_path / "bars.csv").write_text("\n".join(["Symbol;Date;Open;High;Low;Close;Volume;Currency", *rows]) + "\n")
    monkeypatch.chdir(tmp_path)
    assert find_unprinted(block, "\n".join(read_bars(Path("bars.csv")).report.lines())) == []


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


def read_metric_names() -> set[str]:
    """The name of each metric that the code of a service registers under a name of its own."""
    kinds = {"Counter", "Gauge", "Histogram"}
    sources = [path.read_text() for path in ROOT.glob("*/*/src/**/*.py")]
    calls = [
        node
        for source in sources
        if "prometheus_client" in source
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds
    ]
    return {str(one.args[0].value) for one in calls if isinstance(one.args[0], ast.Constant)}


def test_reference_is_whole() -> None:
    """The pages name every metric, every type of event and every table of the lake, and no other event."""
    metrics, events, frames = (
        (DOCS / "reference" / f"{one}.md").read_text() for one in ("metrics", "events", "frames")
    )
    assert set(re.findall(r"^\| `(application\.[a-z_.]+)`", events, re.MULTILINE)) == set(EventType)
    assert {name for name in TABLES if f"`{name}`" not in frames and f"\n## {name}\n" not in frames} == set()
    cells = re.findall(r"^\| (`[^|]+) \|", metrics, re.MULTILINE)
    named = {name for cell in cells for name in re.findall(r"`([a-z][a-z_]+)`", re.sub(r"\([^)]*\)", "", cell))}
    assert read_metric_names() - named == set()


@pytest.mark.parametrize("page", find_pages(), ids=str)
def test_heads_of_tables(page: Path) -> None:
    """A column without a head has no name for a screen reader."""
    lines = page.read_text().splitlines()
    heads = [head for head, rule in pairwise(lines) if re.fullmatch(r"\|(\s*:?-+:?\s*\|)+", rule.strip())]
    assert [head for head in heads if re.search(r"\|\s*\|", head)] == []
