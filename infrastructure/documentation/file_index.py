"""The index of files, docs/reference/files.md: what each module is for, made from the modules' docstrings.

`uv run python -m infrastructure.documentation.file_index` writes the page; it is part of the repository.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from infrastructure.documentation.index_for_models import ROOT

PAGE: Final = ROOT / "docs" / "reference" / "files.md"
APPLICATIONS: Final = ("exchange", "datamanager", "models", "portfoliomanager", "scheduler", "research", "fund")
LIBRARY: Final = ROOT / "libraries" / "python" / "src"
HEAD: Final = """# Files

What each module of the applications and of the library is for: the first sentence of its docstring, from which
`uv run python -m infrastructure.documentation.file_index` writes this page.
[Architecture](../architecture.md) has the tree, and says which rule is where.
"""


def write_file_index() -> str:
    """The page in Markdown: the applications in the order of the data flow, then the library by package."""
    packages = [_find_application(name) for name in APPLICATIONS]
    sections = [write_package(package, list(_list_modules(package))) for package in packages]
    library = [LIBRARY / "pocketsizefund", LIBRARY / "internal", *_list_packages(LIBRARY / "internal")]
    sections += [write_package(package, sorted(package.glob("*.py"))) for package in library]
    return "\n".join([HEAD, *sections])


def write_package(package: Path, modules: list[Path]) -> str:
    """A heading with the folder and its purpose, and a row for each module that is not an `__init__.py`."""
    rows = [
        f"| `{module.relative_to(package).as_posix()}` | {read_purpose(module)} |"
        for module in modules
        if module.name != "__init__.py"
    ]
    folder = package.relative_to(ROOT).as_posix()
    name = ".".join(package.relative_to(next(one for one in package.parents if one.name == "src")).parts)
    purpose = f"`{folder}`: {read_purpose(package / '__init__.py')}."
    return "\n".join([f"## {name}", "", purpose, "", "| file | what it is for |", "|---|---|", *rows, ""])


def read_purpose(module: Path) -> str:
    """The first sentence of a module's docstring, without its full stop."""
    text = " ".join((ast.get_docstring(ast.parse(module.read_text())) or "").split("\n\n")[0].split())
    return re.split(r"(?<=[a-z)`])\. (?=[A-Z])", text)[0].rstrip(".").replace("|", "&#124;")


def _find_application(name: str) -> Path:
    return ROOT / "applications" / name / "src" / name


def _list_modules(package: Path) -> Iterator[Path]:
    """The modules of a package, then those of the packages in it."""
    yield from sorted(package.glob("*.py"))
    yield from sorted(set(package.rglob("*.py")) - set(package.glob("*.py")))


def _list_packages(folder: Path) -> list[Path]:
    return sorted(module.parent for module in folder.rglob("*/__init__.py"))


if __name__ == "__main__":
    PAGE.write_text(write_file_index())
