"""What README.md and docs/ say is true: commands, links, folders, ports."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from fund.__main__ import application
from fund.commands import COMMANDS
from fund.services import Service
from fund.settings.sections import Services
from infrastructure.documentation.file_index import PAGE, write_file_index
from models.__main__ import application as models
from research.command_line import application as research

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
GLANCE = (ROOT / "docs" / "commands.md").read_text()
CI = (ROOT / ".ci" / "run").read_text()
SCREEN_LINES = 60
PROGRAMS = {"research": research, "models": models}
PAGES = [ROOT / "README.md", ROOT / "CLAUDE.md", ROOT / "infrastructure" / "README.md", *(ROOT / "docs").rglob("*.md")]


def blocks(page: str) -> list[str]:
    """The fenced blocks of a page."""
    return [block.strip() for block in re.findall(r"^```[a-z]*\n(.*?)^```", page, re.MULTILINE | re.DOTALL)]


def tree_paths() -> list[str]:
    """Every path of the tree in docs/architecture.md, from the root."""
    tree = next(block for block in blocks(ARCHITECTURE) if block.startswith("applications/"))
    paths: list[str] = []
    stack = [(-1, "")]
    for line in tree.splitlines():
        depth = len(line) - len(line.lstrip())
        names = re.match(r"\s*((?:[\w./]+ ?)+)(?:  |$)", line)
        assert names, line
        stack = [(level, path) for level, path in stack if level < depth]
        paths += [stack[-1][1] + name for name in names[1].split()]
        stack.append((depth, paths[-1]))
    return paths


def anchor(heading: str) -> str:
    """The anchor that a heading gets on the web: lower case, punctuation gone, spaces as hyphens."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def show_help(command: str) -> str:
    """What `fund COMMAND --help` prints; a command that becomes another program is followed there."""
    followed: list[list[str]] = []

    def follow(_: str, words: list[str], variables: Mapping[str, str]) -> None:
        name = words[2].partition(".")[0]
        assert variables[f"{name.upper()}_TYPED_AS"].startswith("./fund")
        followed.append([name, *words[3:]])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "execve", follow)  # else the tests become that program
        shown = invoke(application, "fund", command, "--help")
    return invoke(PROGRAMS[followed[0][0]], *followed[0]) if followed else shown


def invoke(program: typer.Typer, name: str, *words: str) -> str:
    """What a command line prints in this process."""
    variables = {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
    shown = CliRunner().invoke(program, words, prog_name=name, env=variables)
    assert shown.exit_code == 0, shown.output
    return shown.output


def test_the_two_commands_are_there() -> None:
    """A newcomer finds the two commands, each a block of its own."""
    assert "./fund up" in blocks(README)
    assert "./fund test" in blocks(README)


def test_readme_is_one_screen() -> None:
    """What it is, a picture, two commands, what they print, where to go next: no more than a large screen holds."""
    assert len(README.splitlines()) <= SCREEN_LINES


def test_ci_runs_the_readme_commands() -> None:
    """.ci/run runs both: the first with --once before it installs anything else, the second as it is."""
    steps = re.findall(r'^step "[^"]+" (.+)$', CI, re.MULTILINE)
    assert steps[0].startswith("fund_up ")
    assert "    ./fund up --once " in CI
    assert "./fund test" in steps


@pytest.mark.parametrize("command", sorted(set(re.findall(r"^\| `\./fund (\w+)", GLANCE, re.MULTILINE))))
def test_fund_commands_exist(command: str) -> None:
    """Each command of the table at a glance is one of the program's, which shows its help."""
    assert f" {command} " in show_help(command)


def test_every_command_is_at_a_glance() -> None:
    """The page names every command of the program."""
    rows = "\n".join(re.findall(r"^\| (`.*?) \| ", GLANCE, re.MULTILINE))
    assert [source.name for source in COMMANDS if not re.search(rf"\b{source.name}\b", rows)] == []


def test_fund_up_has_every_option_that_is_named() -> None:
    """The options of a run that the page at a glance names are options of `fund up`, and the other way round."""
    program = set(re.findall(r"(--[a-z]+)", show_help("up"))) - {"--help"}
    section = GLANCE.split("\n## Options of a run\n")[1].split("\n## ")[0]
    assert set(re.findall(r"`(--[a-z]+)", section)) | {"--bars", "--details"} == program


def test_ports_are_the_programs() -> None:
    """The ports that the page at a glance gives are the ones that the fund uses."""
    named = {name.lower(): int(port) for name, port in re.findall(r"`(\w+)_PORT`\s+\((\d+)\)", GLANCE)}
    assert named == {service: getattr(Services(), f"{service}_port") for service in Service}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link is a file, and its anchor a heading of it."""
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text()):
        path, _, wanted = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        if wanted:
            assert wanted in [anchor(text) for text in re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)], link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_named_paths_exist(page: Path) -> None:
    """Every file of the repository that a page names in backquotes is there."""
    folders = "|".join(path.name for path in ROOT.iterdir() if path.is_dir() and path.name != ".fund")
    for path in re.findall(rf"`((?:{folders})/[\w./-]+)`", page.read_text().replace("applications/*", "")):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("path", tree_paths())
def test_tree_is_true(path: str) -> None:
    """Every folder and file of the tree exists."""
    assert (ROOT / path).exists()


def test_tree_is_whole() -> None:
    """Every application and every top-level folder of the repository is in the tree."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S607 - the machine's git
    folders = {path.split("/")[0] for path in tracked.splitlines() if "/" in path and not path.startswith(".")}
    folders |= {"/".join(path.split("/")[:2]) for path in tracked.splitlines() if path.startswith("applications/")}
    assert {path.rstrip("/") for path in tree_paths()} >= folders - {"libraries"}


def test_file_index_is_what_the_docstrings_say() -> None:
    """docs/reference/files.md has the sentence of each module of the applications and of the library."""
    assert PAGE.read_text() == write_file_index(), "run `uv run python -m infrastructure.documentation.file_index`"


def test_file_index_is_whole() -> None:
    """Every module that git has below a `src` folder is in the index, under its package or one above it."""
    indexed = {
        f"{folder}/{file}"
        for folder, rows in re.findall(
            r"^`(\S+)`: .*\n\n\| file .*\n.*\n((?:\| .*\n)*)", PAGE.read_text(), re.MULTILINE
        )
        for file in re.findall(r"^\| `(\S+)` \|", rows, re.MULTILINE)
    }
    modules = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("*/*/src/**/*.py") if path.name != "__init__.py"}
    assert indexed == modules


def test_every_decision_is_in_the_index() -> None:
    """The index of decisions names each page once."""
    index = (ROOT / "docs" / "decisions" / "README.md").read_text()
    pages = sorted(page.name for page in (ROOT / "docs" / "decisions").glob("*.md") if page.name != "README.md")
    assert pages == sorted(re.findall(r"^\| \[([^\]]+)\]\(\1\)", index, re.MULTILINE))


def test_docs_index_of_the_readme() -> None:
    """The pages that README.md promises are there: architecture, operations, decisions, contracts."""
    for name in ("architecture", "operations/README", "reference/README", "reference/files", "decisions/README"):
        assert f"docs/{name}.md" in README
