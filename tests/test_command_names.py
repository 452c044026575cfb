"""How messages name a command of the fund: as it is typed in the checkout, `./fund COMMAND`."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fund.commands import COMMANDS

ROOT = Path(__file__).parents[1]
BARE = re.compile(rf"(?<![\w./-])(?<!-m )fund (?:{'|'.join(sorted(one.name for one in COMMANDS))})\b")
SPACED = re.compile(r"""fund[ \\"']""")  # what the source of any such text has: a space, its escape, or the text's end
HELP = {"fund": {one.module.removeprefix("fund.") for one in COMMANDS}}  # their functions' docstrings are help texts
SOURCES = [*ROOT.glob("applications/*/src/**/*.py"), *ROOT.glob("libraries/python/src/**/*.py")]
TEMPLATES = [*ROOT.glob("applications/*/src/**/*.html"), *ROOT.glob("libraries/python/src/**/*.html")]
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def list_texts(path: Path) -> Iterator[tuple[int, str]]:
    """The texts of a module that a person may be shown, with their lines: all but docstrings that are no help text."""
    tree = ast.parse(path.read_text())
    is_help = path.stem in HELP.get(path.parent.name, set())
    hidden = {id(docstring) for node in ast.walk(tree) if (docstring := _find_docstring(node, is_help=is_help))}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in hidden:
            yield node.lineno, node.value


def _find_docstring(node: ast.AST, *, is_help: bool) -> ast.Constant | None:
    """The docstring of a node, unless it is the help text of a command."""
    if not isinstance(node, DOCUMENTED) or (is_help and isinstance(node, ast.FunctionDef)):
        return None
    first = node.body[0] if node.body else None
    return first.value if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) else None


def find_bare_names(path: Path) -> list[str]:
    """Where a module's texts name a command of the fund without `./`."""
    if not SPACED.search(path.read_text()):  # three modules of four, which need not be parsed
        return []
    return [f"{line}: {text[:100]}" for line, text in list_texts(path) if BARE.search(text)]


def test_messages_name_commands_as_they_are_typed() -> None:
    """Whoever reads a message can copy the command out of it: no `fund halt`, which a shell does not find."""
    found = {str(path.relative_to(ROOT)): lines for path in SOURCES if (lines := find_bare_names(path))}
    assert found == {}


def test_pages_name_commands_as_they_are_typed() -> None:
    """The same on the pages."""
    assert [str(path.relative_to(ROOT)) for path in TEMPLATES if BARE.search(path.read_text())] == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('"""`fund halt` sends nothing."""\n', []),
        ('def f():\n    return "`fund halt` sends nothing"\n', ["2: `fund halt` sends nothing"]),
        ('def f(n):\n    return f"{n}: fund data check says why"\n', ["2: : fund data check says why"]),
        ('SAY = "the\\nfund halt"\n', ["1: the\nfund halt"]),
        ('SAY = "fund"\\\n    " halt"\n', ["1: fund halt"]),
        ('SAY = (\n    "fund "  # a remark\n    "halt"\n)\n', ["2: fund halt"]),
        ('SAY = """fund\\x20halt fund\\\n halt"""\n', ["1: fund halt fund halt"]),
        ('SAY = "`./fund halt`, the fund runs, not fund.toml"\n', []),
    ],
)
def test_planted_names_are_found(tmp_path: Path, source: str, expected: list[str]) -> None:
    """A message is found, a docstring that nobody is shown is not, nor the right form."""
    path = tmp_path / "planted.py"
    path.write_text(source)
    assert find_bare_names(path) == expected
